#!/bin/sh
# The Docker CLI plugin of diagnose @VERSION@, written by diagnose setup. `docker diagnose ARGS` is `diagnose ARGS`; docker's own
# --context and --host become ours. What docker asks of every plugin is answered here, without starting the tool.
program=@PROGRAM@

hint() { # text, check: the answer to docker's question what a user could do next
    printf '{"Type":0,"Template":"diagnose: %s - docker diagnose check %s"}\n' "$1" "$2"
    exit 0
}
holder() { # port: the container that publishes it, if the engine says so within 60 ms
    timeout -s KILL 0.06 "${DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND:-docker}" ps --filter "publish=$1" --format '{{.Names}}' 2>/dev/null
}
hook() { # JSON: what docker tells of a command that has ended
    case $1 in *'"CommandError":"'[!\"]*) ;; *) exit 1 ;; esac # it did not fail: nothing to say
    error=${1#*'"CommandError":"'}
    case $error in
    *'port is already allocated'*)
        port=${error#*Bind for } port=${port%% failed*} port=${port##*:}
        case $port in *[!0-9]* | '') hint 'a published port is held by another container' network.port-allocated ;; esac
        name=$(holder "$port")
        case $name in *[!A-Za-z0-9_.-]* | '') name='another container' ;; esac
        hint "port $port is held by $name" network.port-allocated
        ;;
    *'address already in use'*) hint 'a published port is held by a process of the host' network.port-held-by-process ;;
    *'annot assign requested address'*) hint 'this host has no such address to publish on' network.bind-address-missing ;;
    *'Cannot connect to the Docker daemon'*) hint 'the engine does not answer' daemon ;;
    *'permission denied while trying to connect'*) hint 'this user may not use the engine' daemon.socket-forbidden ;;
    *'no space left on device'* | *'disk quota exceeded'*) hint 'a disk is full' storage ;;
    *'client version '*' is too '*) hint 'client and engine speak different versions of the API' daemon.client-api-too-old ;;
    *'toomanyrequests'* | *'ull rate limit'*) hint 'the registry limits the number of pulls' image.pull-rate-limited ;;
    *'x509:'* | *'server gave HTTP response to HTTPS client'*) hint "the registry's certificate is not accepted" image.registry-tls ;;
    *'pull access denied'* | *'unauthorized:'* | *'authentication required'*) hint 'the registry refuses this image' image.pull-denied ;;
    *'proxyconnect'*) hint 'the proxy for the registry does not work' image.registry-proxy ;;
    *'no such host'* | *'server misbehaving'* | *'i/o timeout'* | *'Client.Timeout exceeded'*) hint 'the registry cannot be reached' image.registry-unreachable ;;
    *'exec format error'*) hint 'the program is for another kind of processor' container.exec-format ;;
    *'exec: '*'permission denied'*) hint 'the program may not be executed' container.entrypoint-forbidden ;;
    *'executable file not found'* | *'exec: '*'no such file or directory'*) hint 'the program does not exist in the image' container.entrypoint-missing ;;
    *'bind source path does not exist'*) hint 'a folder that is mounted does not exist' container.mount-source-missing ;;
    *'could not select device driver'* | *'error gathering device information'*) hint 'a device is missing' container.device-missing ;;
    *'all predefined address pools have been fully subnetted'*) hint 'no addresses are left for a network' network.address-pools-exhausted ;;
    *'no available IP'*) hint 'the network has no address left' network.subnet-exhausted ;;
    *'nable to enable '*'iptables failed'* | *'No chain/target/match by that name'*) hint "the engine's firewall rules are gone" firewall.chains-missing ;;
    # Clients before 28 write the error of `docker run` themselves, and hand over no more than this.
    'Status: , Code: 125'* | 'exit status 125'*) hint 'the engine did not start the container' container ;;
    'Status: , Code: 126'* | 'Status: , Code: 127'*) hint 'the program of the container cannot be started' container ;;
    esac
    exit 1
}

case ${1:-} in
docker-cli-plugin-metadata)
    echo '{"SchemaVersion":"0.1.0","Vendor":"diagnose","Version":"@VERSION@","ShortDescription":"Say what is wrong with this Docker host"}'
    exit 0
    ;;
esac
[ "${2:-}" != docker-cli-plugin-hooks ] || hook "${3:-}"

# docker hands over its whole command line: its own options, the word diagnose, and ours.
ours='' context='' engine='' left=$#
while [ "$left" -gt 0 ]; do
    word=$1
    shift
    left=$((left - 1))
    if [ -n "$ours" ]; then
        set -- "$@" "$word"
        continue
    fi
    case $word in
    diagnose)
        ours=1
        # The name of the command comes first, and the options of docker after it.
        if [ "$left" -gt 0 ]; then
            set -- "$@" "$1"
            shift
            left=$((left - 1))
            [ -z "$context" ] || set -- "$@" --context "$context"
            [ -z "$engine" ] || set -- "$@" --host "$engine"
        fi
        ;;
    --context=*) context=${word#*=} ;;
    --host=*) engine=${word#*=} ;;
    -c | --context) context=$1 && shift && left=$((left - 1)) ;;
    -H | --host) engine=$1 && shift && left=$((left - 1)) ;;
    --config) export DOCKER_CONFIG="$1" && shift && left=$((left - 1)) ;;
    -l | --log-level | --tlscacert | --tlscert | --tlskey) shift && left=$((left - 1)) ;;
    esac
done
exec "$program" "$@"
