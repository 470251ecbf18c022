"""The soak: clients, telephones and faults at random for a long time, and a model that knows what
must have come of it. ``python -m tests.load.soak --help``.

============  =====================================================================================
``plan``      which fault comes when: all of it from one seed
``chaos``     does these faults to a simulator
``town``      people with telephones, who call the lines
``client``    a CTI with the threads that use it, its handlers and its token provider
``errands``   the commands that a client sends, each with a tag of its own where that can be
``wiretap``   what the simulator sent and heard on each connection
``diary``     what a client was told, in order
``model``     compares the two: what was lost, what was repeated, what was never said
``truth``     what happened to the calls, whoever was connected
``account``   compares it with the diary: each change was told, or is in an announced gap
``rules``     what a client is told of a notification
``life``      what a client is told of its session: disconnected, restored, lost
``lag``       how late the machine runs threads
``leftovers`` threads, descriptors and unplanned errors
``stage``     all of it together
``report``    the figures
============  =====================================================================================

What is sent and heard is random. The verdict is not: whatever the load, the model holds the SDK
to its promises only, none of which is about being quick.
"""
