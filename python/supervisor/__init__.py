"""The Python side of supervisor-ng: for clients, event listeners and extensions."""
