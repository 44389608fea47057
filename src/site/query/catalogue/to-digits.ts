import type { CatalogueRow } from './catalogue-row.ts'
import { postgresDouble, postgresGrained } from './forms.ts'
import type { Text } from './forms.ts'

/** A double brought to so many digits behind the point, or before it where they are below 0: scaled, made whole, and scaled back. */
export function toDigits(whole: {
  readonly duckdb: (text: Text) => Text
  readonly postgres: (text: Text) => Text
}): Pick<CatalogueRow, 'duckdb' | 'postgres'> {
  return {
    duckdb: ({ a, constants: [digits = 0] }) => {
      const scale = `1e${Math.abs(Number(digits))}`
      return Number(digits) >= 0
        ? `(${whole.duckdb(`${a} * ${scale}`)} / ${scale})`
        : `(${whole.duckdb(`${a} / ${scale}`)} * ${scale})`
    },
    postgres: ({ a, constants: [digits = 0] }) => {
      const scale = postgresDouble(`1e${Math.abs(Number(digits))}`)
      return Number(digits) >= 0
        ? `(${whole.postgres(`${a} * ${scale}`)} / ${scale})`
        : `(${whole.postgres(`${postgresGrained(a)} / ${scale}`)} * ${scale})`
    },
  }
}
