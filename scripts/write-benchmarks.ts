/**
 * Writes docs/reference/benchmarks.md from what `make bench` left in bench/out, in the words of the benchmarks
 * themselves, with what somebody wrote about a result in bench/notes. What was not measured keeps the table it has.
 * It is measured, not derived: `make check` does not compare it.
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

/** The head of every table of figures, and what a section without one has not. */
const HEAD = ['figure', 'value', 'baseline', 'ratio', 'goal', 'met']

async function main(): Promise<void> {
  const page = await readFile(PAGE, 'utf8')
  const names = (await readdir(BENCH))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => basename(name, '.ts'))
  const sections: string[] = []
  const kept: string[] = []
  const never: string[] = []
  const machines = new Set<string>()
  for (const name of names.toSorted()) {
    const report = await readReport(name)
    const table = report === undefined ? tableOn(page, name) : tableOf(report)
    if (table === undefined) {
      never.push(name)
      continue
    }
    if (report === undefined) kept.push(name)
    else machines.add(report.machine)
    const size =
      report === undefined || report.scale === 1 ? '' : ` Measured at ${report.scale} of the usual size.`
    const parts = [`## ${name}`, `${await descriptionOf(name)}${size}`, table, await notesOn(name)]
    sections.push(parts.filter((part) => part !== '').join('\n\n'))
  }
  if (machines.size === 0) throw new Error('There is nothing in bench/out: run "make bench" first')
  if (kept.length > 0) sections.push(`Not measured in this round, but earlier: ${kept.join(', ')}.`)
  if (never.length > 0) sections.push(`Not measured yet: ${never.join(', ')}.`)
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

/** What somebody wrote about the figures: other runs, other sizes, what a number means. */
async function notesOn(name: string): Promise<string> {
  const text = await readFile(new URL(`notes/${name}.md`, BENCH), 'utf8').catch(() => '')
  return text.trim()
}

function tableOf({ figures }: Report): string {
  const rows = figures.map(({ name: figure, value, unit, baseline, ratio, goal, met }) => [
    figure,
    `${NUMBER.format(value)} ${unit}`,
    baseline === null ? '' : NUMBER.format(baseline),
    ratio === null ? '' : NUMBER.format(ratio),
    goal ?? '',
    met === null ? '' : met ? 'yes' : '**no**',
  ])
  return markdownTable(HEAD, rows)
}

/** The table of figures that a benchmark has on the page already. */
function tableOn(page: string, name: string): string | undefined {
  const lines = page.split('\n')
  const heading = lines.indexOf(`## ${name}`)
  if (heading === -1) return undefined
  const start = lines.indexOf(`| ${HEAD.join(' | ')} |`, heading)
  const next = lines.findIndex((line, index) => index > heading && line.startsWith('## '))
  if (start === -1 || (next !== -1 && start > next)) return undefined
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'))
  return lines.slice(start, end === -1 ? undefined : end).join('\n')
}

await main()
