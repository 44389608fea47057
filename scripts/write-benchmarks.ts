/**
 * Writes docs/reference/benchmarks.md from what `make bench` left in bench/out, in the words of the benchmarks
 * themselves. It is measured, not derived: `make check` does not compare it.
 */
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { z } from 'zod'
import { markdownTable } from './reference/markdown.ts'

const BENCH = new URL('../bench/', import.meta.url)
const PAGE = new URL('../docs/reference/benchmarks.md', import.meta.url)

const reportSchema = z.object({
  name: z.string(),
  machine: z.string(),
  scale: z.number(),
  figures: z.array(
    z.object({
      name: z.string(),
      value: z.number(),
      unit: z.string(),
      baseline: z.number().nullable(),
      ratio: z.number().nullable(),
      goal: z.string().nullable(),
      met: z.boolean().nullable(),
    }),
  ),
})
type Report = z.infer<typeof reportSchema>

const NUMBER = new Intl.NumberFormat('en-GB', { maximumSignificantDigits: 4 })

async function main(): Promise<void> {
  const names = (await readdir(BENCH))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => basename(name, '.ts'))
  const sections: string[] = []
  const unmeasured: string[] = []
  const machines = new Set<string>()
  for (const name of names.toSorted()) {
    const report = await readReport(name)
    if (report === undefined) {
      unmeasured.push(name)
      continue
    }
    machines.add(report.machine)
    sections.push(sectionOf(report, await descriptionOf(name)))
  }
  if (sections.length === 0) throw new Error('There is nothing in bench/out: run "make bench" first')
  if (unmeasured.length > 0) sections.push(`Not measured in this round: ${unmeasured.join(', ')}.`)
  await writeFile(PAGE, `${introductionOf([...machines])}\n\n${sections.join('\n\n')}\n`)
}

function introductionOf(machines: readonly string[]): string {
  return `<!-- Made by scripts/write-benchmarks.ts ("make bench-page") from bench/out: run "make bench", not an editor. -->

# Benchmarks

\`make bench\` runs all of them, \`make bench NAME=gate\` one, \`SCALE=0.1\` a tenth of the size. Each measures a baseline in the same
run; *ratio* is value by baseline. The machine: ${machines.join('; and ')}.

A goal that is not met says **no**. \`make run\` prints itself how long it takes to the first ask, and the memory of
its servers.`
}

async function readReport(name: string): Promise<Report | undefined> {
  const text = await readFile(new URL(`out/${name}.json`, BENCH), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : reportSchema.parse(JSON.parse(text))
}

/** The first paragraph of the first comment of a benchmark: what it measures, beside what. */
async function descriptionOf(name: string): Promise<string> {
  const source = await readFile(new URL(`${name}.ts`, BENCH), 'utf8')
  const comment = /^\/\*\*([\s\S]*?)\*\//m.exec(source)?.[1] ?? ''
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\*?\s?/, '').trim())
  const start = lines.findIndex((line) => line !== '')
  const end = lines.indexOf('', start)
  return lines.slice(start, end === -1 ? undefined : end).join('\n')
}

function sectionOf({ name, scale, figures }: Report, description: string): string {
  const rows = figures.map(({ name: figure, value, unit, baseline, ratio, goal, met }) => [
    figure,
    `${NUMBER.format(value)} ${unit}`,
    baseline === null ? '' : NUMBER.format(baseline),
    ratio === null ? '' : NUMBER.format(ratio),
    goal ?? '',
    met === null ? '' : met ? 'yes' : '**no**',
  ])
  const size = scale === 1 ? '' : ` Measured at ${scale} of the usual size.`
  return `## ${name}\n\n${description}${size}\n\n${markdownTable(['figure', 'value', 'baseline', 'ratio', 'goal', 'met'], rows)}`
}

await main()
