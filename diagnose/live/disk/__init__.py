"""Questions about files, answered by a helper process because they may block in the kernel.

`files`, `images` and `cron` have the collectors; `worker` lists what runs in the helper process.
Modules called `..._parts` choose what is recorded of a user's file.

In the room `compose/`: compose files, read and compared.
"""
