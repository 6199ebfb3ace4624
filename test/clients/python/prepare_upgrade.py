#!/usr/bin/python3
"""Prepares an upgrade of a discovery store while its clients work. The database is that of DATABASE_URL."""
import os

import psycopg2

connection = psycopg2.connect(os.environ["DATABASE_URL"])
# Each statement runs outside a transaction.
connection.autocommit = True
cursor = connection.cursor()
while True:
    cursor.execute("SELECT statement, effect FROM discovery_prepare_upgrade() LIMIT 1")
    left = cursor.fetchone()
    if left is None:
        break
    statement, effect = left
    print(effect)
    cursor.execute(statement)
