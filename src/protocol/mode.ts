import { z } from 'zod'

/** How much leaves: see the table of release modes in `docs/explanation/`. */
export const MODES = ['aggregate', 'private', 'rows', 'function'] as const
export const modeSchema = z.enum(MODES, `expected one of ${MODES.join(', ')}`)
export type Mode = z.infer<typeof modeSchema>
