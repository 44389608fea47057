import { ALLOWED_NODES } from '../../src/site/query/allowed-nodes.ts'
import { AGGREGATES, PER_PERSON_AGGREGATES } from '../../src/site/query/bind-aggregate.ts'
import { QUANTILES } from '../../src/site/query/bind-private.ts'
import { CONSTANTS } from '../../src/site/query/catalogue-row.ts'
import type { CatalogueRow, Parameter } from '../../src/site/query/catalogue-row.ts'
import { CATALOGUE } from '../../src/site/query/catalogue.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import { markdownTable } from './markdown.ts'

/** `query.md`: what a question in SQL may hold, from the tables by which the gate decides. */
export function queryPage(): string {
  const rows: readonly CatalogueRow[] = Object.values(CATALOGUE)
  return `# SQL in a question

A question is one \`SELECT\` in the grammar of PostgreSQL. It is parsed, checked, rewritten and printed anew; the text
that was sent never reaches an engine. What is not on this page is declined as not supported, naming it. Each function,
operator and cast gives the same answer whichever engine holds the data, and gives null where it is not defined
(division by zero, an overflow, a cast that fails), so that no error tells a value.

## Limits

${markdownTable(
  ['limit', 'value'],
  [
    ['text', `${LIMITS.queryTextBytesMax} bytes`],
    ['nesting', String(LIMITS.queryDepthMax)],
    ['joins', String(LIMITS.queryJoinsMax)],
    ['output columns', String(LIMITS.queryOutputColumnsMax)],
    ['groups', String(LIMITS.queryGroupsMax)],
    ['rows of a release', String(LIMITS.releaseRowsMax)],
    ['time', `${LIMITS.queryTimeoutMs / 1000} s`],
  ],
)}

## Aggregates

In \`aggregate\` mode each output column is a grouping expression or is made from these. Sums and averages clamp each value
to the bounds in the column’s description. In a sub-query that groups by the person, ${PER_PERSON_AGGREGATES.map((name) => `\`${name}\``).join(', ')}
may be computed per person first.

${markdownTable(
  ['aggregate', 'of'],
  Object.entries(AGGREGATES).map(([name, { says }]) => [`\`${name}\``, says]),
)}

Each takes \`filter (where …)\`.

In \`private\` mode these come besides, and what is summed may be any expression whose bounds follow from declared ones: noise is
added to every figure. \`having\`, \`order by\`, \`limit\` and everything computed from aggregates see noisy values only.

${markdownTable(
  ['aggregate', 'of'],
  Object.entries(QUANTILES).map(([name, { says }]) => [`\`${name}\``, says]),
)}

## Functions

${callTable(rows.filter(({ kind }) => kind === 'function'))}

## Operators

${callTable(rows.filter(({ kind }) => kind === 'operator'))}

## Casts

${callTable(rows.filter(({ kind }) => kind === 'cast'))}

## Other syntax

${callTable(rows.filter(({ kind }) => kind === 'syntax'))}

## Constants

Some places take a constant that is written out.

${markdownTable(
  ['kind', 'expected'],
  Object.entries(CONSTANTS).map(([name, { expected }]) => [name, expected]),
)}

## Nodes of the grammar

The nodes of PostgreSQL’s parse tree that may stand in a question: ${Object.keys(ALLOWED_NODES)
    .map((name) => `\`${name}\``)
    .join(', ')}.
`
}

function callTable(rows: readonly CatalogueRow[]): string {
  return markdownTable(
    ['written', 'takes', 'gives', 'note'],
    rows.map(({ names, takes, gives, isVariadic, says }) => [
      names.map((name) => `\`${name}\``).join(', '),
      `${takes.map(takenText).join(', ')}${isVariadic === true ? ' …' : ''}`,
      gives,
      says ?? '',
    ]),
  )
}

function takenText(parameter: Parameter): string {
  return typeof parameter === 'string' ? parameter : `constant (${parameter.constant})`
}
