import type { Kysely, Transaction } from 'kysely'

/** A server's PostgreSQL. Statements are written with kysely's `sql` template: interpolation is a bound value. */
export type Database = Kysely<unknown>

/** A running transaction; it can stand wherever a `Database` can. */
export type DatabaseTransaction = Transaction<unknown>
