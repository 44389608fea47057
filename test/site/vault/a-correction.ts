import type { RowCorrection } from '../../../src/site/vault/vault.ts'
import { aManifest } from './a-manifest.ts'

const manifest = aManifest()

/** The steps of somebody's rows that are so many are to be others. */
export function correction(person: number, from: number, to: number): RowCorrection {
  return {
    manifest,
    number: person,
    person,
    set: new Map([['steps', to]]),
    where: new Map([['steps', from]]),
    facts: {},
  }
}
