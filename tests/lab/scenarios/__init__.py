"""One module per check family; each declares its faults and healthy hosts with the decorators of
`faults`."""
