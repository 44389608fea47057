import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

/** One figure of a benchmark. `ratio` is value / baseline; the baseline was measured in the same run. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly baseline?: number
  /** In words and numbers: `at least 10000`. */
  readonly goal?: string
  readonly met?: boolean
}

/** The machine in one line. */
function machine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown'
  return `${model}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform} ${process.arch}, Node ${process.versions.node}`
}

/** `SCALE=0.1` runs a tenth of the usual size. */
export function scale(): number {
  const value = Number(process.env.SCALE ?? 1)
  if (!(value > 0)) throw new RangeError('SCALE must be a number above 0')
  return value
}

/** Writes `bench/out/NAME.json` and prints the same as a table. */
export function writeReport({
  name,
  scale: size,
  figures,
}: {
  name: string
  scale: number
  figures: readonly Figure[]
}): void {
  const rows = figures.map((figure) => ({
    name: figure.name,
    value: round(figure.value),
    unit: figure.unit,
    baseline: figure.baseline === undefined ? null : round(figure.baseline),
    ratio: figure.baseline === undefined ? null : round(figure.value / figure.baseline),
    goal: figure.goal ?? null,
    met: figure.met ?? null,
  }))
  const directory = fileURLToPath(new URL('../out', import.meta.url))
  mkdirSync(directory, { recursive: true })
  writeFileSync(
    `${directory}/${name}.json`,
    `${JSON.stringify({ name, machine: machine(), scale: size, figures: rows }, null, 2)}\n`,
  )
  console.log(`${name} (scale ${size}, ${machine()})`)
  console.table(rows)
}

function round(value: number): number {
  return Number(value.toPrecision(4))
}
