"""Storage: what lasts. From bytes that survive a crash up to the commits, segments and worlds of a database.

durable    files and directories that are there after a power cut      sealed     small files that know their sum
objects    immutable, named by hash     lists   trees that share       commits    states of a world, and their heads
columns    arrays in one mapped file    payload latents and depth      geometry   patches, blocks, cameras
rows, table, catalog   the same facts for SQL and for rebuilding       segments   payload, geometry and rows as one
store      the rooms of one database, and who may write                registry   its worlds by name
reach, lease, collect, verify   what is still needed, and what is sound
migrate, archive                from older formats, and to and from one file
"""
