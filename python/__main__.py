"""What supervisord runs for the sections whose factories are written in Python."""

from supervisor.plugin_host.host import main

main()
