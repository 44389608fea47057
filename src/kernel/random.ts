import { randomBytes } from 'node:crypto'

/** Randomness as a port. The system source is cryptographic; a simulation gives a seeded one. */
export interface Random {
  bytes(length: number): Uint8Array
}

/** The machine's cryptographic source. The only place where entropy is read. */
export const systemRandom: Random = {
  bytes: (length) => randomBytes(length),
}
