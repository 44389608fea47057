/**
 * What the embedded PostgreSQL of a network is set to beside what every server has. Batches of asks write some 50 MB of log a
 * second: with less room there is a checkpoint every few seconds, after each of which whole pages go to the log again
 * (measured: a sixth fewer asks a second at 256 MB).
 */
export const EMBEDDED_SETTINGS: readonly string[] = ['max_wal_size=1GB']
