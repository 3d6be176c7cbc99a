"""What survives a restart: one SQLite file per role, a module per table, durable and lazy writes.

Threads: any but the scheduler, which may only write lazily.
"""
