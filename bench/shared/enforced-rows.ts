import { DuckDBInstance } from '@duckdb/node-api'
import { join } from 'node:path'

/** Groups of the rows. */
export const GROUPS = 27

/** The same numbers in both dialects: two rounds of a linear congruence with the middle bits taken, seeded by `salt`. */
const hash = (number: string, salt: number): string =>
  `((((${number} + ${salt}) * 2654435761) % 4294967296) // 8192 * 40503 + ${salt}) % 1000003`

/** Rows of people in regions, each with a value from 50 to 150, made by the same arithmetic in SQL wherever they are. */
export function benchRows(personCount: number): {
  readonly person: string
  readonly columns: string
  readonly isEligible: string
} {
  return {
    person: `cast((${hash('i', 1)} * 7 + i) % ${personCount} as integer)`,
    columns: `_p, 50 + (${hash('i', 7)}) % 100000 / 1000.0 as v, 'region-' || (${hash('_p', 77)}) % ${GROUPS} as region`,
    isEligible: `(${hash('i', 5)}) % 10 < 7`,
  }
}

/** Fills the vault's file by SQL: an import of as many rows is another benchmark. */
export async function makeRows(
  home: string,
  { rowCount, personCount }: { readonly rowCount: number; readonly personCount: number },
): Promise<void> {
  const { columns, person } = benchRows(personCount)
  const instance = await DuckDBInstance.create(join(home, 'vault.duckdb'))
  const connection = await instance.connect()
  await connection.run(
    `create table ds_bench as select ${columns} from (select i, ${person} as _p from range(${rowCount}) t(i))`,
  )
  await connection.run('checkpoint')
  connection.closeSync()
  instance.closeSync()
}
