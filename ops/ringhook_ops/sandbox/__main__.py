"""`python -m ringhook_ops.sandbox`."""

from ringhook_ops.sandbox.server import main

if __name__ == "__main__":
    main()
