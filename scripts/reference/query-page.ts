import { REFUSED_NAMES } from '../../src/site/query/text/allowed-nodes.ts'
import { AGGREGATES } from '../../src/site/query/bind/aggregate/bind-aggregate.ts'
import { PER_PERSON_AGGREGATES } from '../../src/site/query/bind/relation/bind-per-person.ts'
import { PAIR_AGGREGATES } from '../../src/site/query/bind/aggregate/bind-pair.ts'
import { QUANTILES } from '../../src/site/query/bind/question/bind-private.ts'
import { WINDOW_FUNCTIONS } from '../../src/site/query/bind/relation/bind-window.ts'
import { KEPT_OF_ALL } from '../../src/site/query/bound/made-texts.ts'
import { CONSTANTS, LIST_OF_PARTS } from '../../src/site/query/catalogue/catalogue-row.ts'
import type { CatalogueRow, Parameter } from '../../src/site/query/catalogue/catalogue-row.ts'
import { CALL_IDS, catalogueRow } from '../../src/site/query/catalogue/catalogue.ts'
import type { CallId } from '../../src/site/query/catalogue/catalogue.ts'
import { NODE_TERMS, SAMPLES, termsOf } from '../../src/site/query/catalogue-terms.ts'
import { DECLINED_FUNCTIONS } from '../../src/site/query/catalogue/declined-functions.ts'
import { REFUSED_FAMILIES } from '../../src/site/query/text/refused-nodes.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import { FRAME_OFFSET_MAX } from '../../src/site/query/bind/expression/window-frame.ts'
import { markdownTable } from './markdown.ts'

const LIMIT_ROWS = [
  ['text', `${LIMITS.queryTextBytesMax} bytes`],
  ['nesting', String(LIMITS.queryDepthMax)],
  ['joins', String(LIMITS.queryJoinsMax)],
  [
    'a text that is made',
    `${LIMITS.queryTextCopiesMax} stored ones; of what the question writes or fills up ${LIMITS.queryStoredTextBytes} bytes count as one`,
  ],
  [
    'all texts that are made of a row',
    `${LIMITS.queryTextsMadeMax} stored ones; a least or greatest one of each person counts ${KEPT_OF_ALL} times, and what looks at the parts of one ${LIST_OF_PARTS} times`,
  ],
  ['output columns', String(LIMITS.queryOutputColumnsMax)],
  ['sums and counts, with those that they are made of', String(LIMITS.queryMeasuresMax)],
  ['groups', `${LIMITS.queryGroupsMax}, and ${LIMITS.queryFiguresMax} groups times sums and counts`],
  ['rows of a release', String(LIMITS.releaseRowsMax)],
  ['time', `${LIMITS.queryTimeoutMs / 1000} s`],
]

/** `query.md`: what a question in SQL may hold, from the tables by which the gate decides. */
export function queryPage(): string {
  return `# SQL in a question

A question is one \`SELECT\` in the grammar of PostgreSQL. It is parsed, checked, rewritten and printed anew; the text
that was sent never reaches an engine. What is not on this page is declined as not supported, naming it. Each function,
operator and cast gives the same answer whichever engine holds the data, and gives null where it is not defined
(division by zero, an overflow, a cast that fails), so that no error tells a value.

## Limits

${markdownTable(['limit', 'value'], LIMIT_ROWS)}

## Aggregates

In \`aggregate\` mode each output column is a grouping expression or is made from these. Sums and averages clamp each value
to the bounds in the column’s description, each column in it before anything is made of it: \`sum(abs(x - 60))\` of a stored 100 that may be 50 at most adds 10. A condition sees what is
stored, in \`FILTER\`, in \`CASE\` and as a number: \`sum((x > 60)::int)\` counts that 100. In a sub-query that groups by the person, ${Object.keys(
    PER_PERSON_AGGREGATES,
  )
    .map((name) => `\`${name}\``)
    .join(', ')}
may be computed per person first.

${markdownTable(
  ['aggregate', 'of'],
  Object.entries(AGGREGATES).map(([name, { says }]) => [`\`${name}\``, says]),
)}

Of two values, over the rows where neither is null; each sum behind them is guarded as one that was asked for:

${pairsTable()}

Each takes \`filter (where …)\`. In \`private\` a covariance is made of a noisy sum of products of distances to the middles of the bounds.

In \`private\` mode these come besides, and what is summed may be any expression whose bounds follow from declared ones: noise is
added to every figure. \`having\`, \`order by\`, \`limit\` and everything computed from aggregates see noisy values only.

${markdownTable(
  ['aggregate', 'of'],
  Object.entries(QUANTILES).map(([name, { says }]) => [`\`${name}\``, says]),
)}

${withinOnePerson}

## Sub-queries and joins

Every value belongs to the person whose row it came from, so sources are tied by the person key and by nothing else.

${markdownTable(
  ['written', 'note'],
  SHAPES.map(([written, note]) => [written, note]),
)}

${shapesText()}

## Window functions

Over the groups of a question, \`over ([partition by …] [order by …] [frame])\` is computed of the groups that are shown: \`100.0 * count(*) / sum(count(*)) over ()\`,
\`rank() over (partition by sex order by count(*) desc)\`, \`n - lag(n) over (order by month)\`. A group that is held back is in no total and has no place,
and the remainder has none. A SELECT around may have a condition on it (\`where r <= 3\`). Groups that the order leaves equal come in the order of their keys.

Over people’s rows, in a sub-select or CTE, \`over (partition by <person key>[, …] [order by …] [frame])\` or a named window, also one made from another: the value is made of the
person's own rows; \`FILTER\` may choose among those that are counted, added or compared. Frames are \`ROWS\` and \`GROUPS\` by numbers of at most ${FRAME_OFFSET_MAX}, \`RANGE\` by a number or a span of time that is written out over
one number or time, and each from and to the row or an end of the partition, also with \`EXCLUDE\` (in \`ROWS\` of the row alone). Windows may stand over sub-selects with windows. A condition on it chooses rows. Sums of it are declined, but for \`lag(x)\` and
\`lead(x)\` of a column in the order of columns.

${markdownTable(
  ['function', 'note'],
  Object.entries(WINDOW_FUNCTIONS).map(([name, { says }]) => [`\`${name}\``, says]),
)}

${catalogueText()}

## Constants

Some places take a constant that is written out.

${markdownTable(
  ['kind', 'expected'],
  Object.entries(CONSTANTS).map(([name, { expected }]) => [name, expected]),
)}

${declinedText()}`
}

/** What a question may be made of besides, in prose. */
function shapesText(): string {
  return `## Rows that are made

In mode \`rows\` each row is of one person. It may be made of that person's rows: by \`GROUP BY <person key>[, …]\` with the functions of a sub-query, by
\`SELECT DISTINCT\` with the person key, by \`DISTINCT ON (<person key>)\`, and by window functions over \`PARTITION BY <person key>\`. \`HAVING\`, \`ORDER BY\`
(not by the person) and \`LIMIT\` go with each.

## Spans of time

\`a - b\` of two times is the seconds between them, shown with the unit s, where PostgreSQL has a span of days and time. It may be added up, averaged and
compared as there: \`avg(ended - started) > interval '30 minutes'\`, \`sum(a - b) / count(*)\`, \`max(ended) - min(started)\` of a person. \`extract(epoch from …)\` makes a number of it;
other fields, casts and functions of it are declined. A span that is written out may stand beside it, with months of 30 days where it is compared.

\`t at time zone 'UTC'\` is t: times stand as the data set has them. For another zone hours are added, as in \`extract(hour from t + interval '2 hours')\`.

## How coarse groups have to be

A number, date or time with a \`minimumBin\` is grouped by in bins that are no finer: \`floor(x / 5)\`, \`(x::int / 5) * 5\`, \`round(x, 1)\`, \`width_bucket\`, \`date_trunc\`, \`extract\`, \`to_char\`, all
of these also of \`t + interval '2 hours'\`, and comparisons with what is written out, also in a \`CASE\`. A comparison may be of a product of columns with bounds above 0, rounded or
not: \`case when weight / (height * height) < 18.5 then …\`. Whoever knows the other columns of it then knows of each that it is between two edges, and these are at least a bin apart wherever
they reach into its bounds. All keys are looked at together: a column is grouped by in one way, because two coarse ways are one fine way. Weeks part months, quarters and years
(\`IYYY-IW\` does not), and a day within a unit parts it, as \`<=\` the first of its days does. Constants
are moderate, so that nothing overflows: a column times 1000, or moved by 10¹², at most. Whether a person has a row behind an outer join or in a sub-query is
as coarse as the conditions there.`
}

/** Every function, operator, cast and piece of syntax. */
function catalogueText(): string {
  const rows: readonly Listed[] = CALL_IDS.map((id) => ({ id, row: catalogueRow(id) }))
  return `## How to read the tables

*Allowed in* says in which modes: in \`aggregate\` what is summed must be a fixed quantity of the person, so a call may be part of it or
only stand around it ([why](../explanation/why-answers-cannot-be-combined.md#what-it-needs-from-the-gate)). *Bound* is what bounds its values, from
the manifest on. *Sensitivity* is by how much one person can change a figure of \`private\` that is made of it; what is no
number only chooses whose rows count.

## Functions

${callTable(rows.filter(({ row }) => row.kind === 'function'))}

## Operators

${callTable(rows.filter(({ row }) => row.kind === 'operator'))}

## Casts

${callTable(rows.filter(({ row }) => row.kind === 'cast'))}

## Other syntax

${callTable(rows.filter(({ row }) => row.kind === 'syntax'))}

## Forms

What each becomes on each engine, with letters for arguments. Both forms give the same; \`test/site/query/same-answer.test.ts\` compares them
over values at which engines overflow, divide by zero or disagree.

${formTable(rows)}`
}

/** What stands in no question, and why. */
function declinedText(): string {
  return `## Declined by name

Whatever is on no list of this page is declined. These are declined with a reason, and
\`declined.sql_function\`.

${markdownTable(
  ['function', 'why'],
  DECLINED_FUNCTIONS.map(({ names, why }) => [names.map((name) => `\`${name}\``).join(', '), why]),
)}

## Nodes of the grammar

The nodes of PostgreSQL’s parse tree that may stand in a question:

${markdownTable(
  ['node', 'allowed in', 'form on both engines', 'bound', 'sensitivity'],
  Object.entries(NODE_TERMS).map(([name, { modes, form, bound, sensitivity }]) => [
    `\`${name}\``,
    modes,
    form,
    bound,
    sensitivity,
  ]),
)}

Each other node is declined with \`declined.sql_not_supported\`, and so are these parts of nodes that may stand:

${markdownTable(
  ['part', 'declined as'],
  Object.entries(REFUSED_NAMES)
    .filter(([name]) => name.includes('.'))
    .map(([name, says]) => [`\`${name}\``, says]),
)}

${markdownTable(
  ['nodes', 'why declined'],
  Object.values(REFUSED_FAMILIES).map(({ kinds, why }) => [
    kinds.map((kind) => `\`${kind}\``).join(', '),
    why,
  ]),
)}
`
}

/** What sources and sub-queries may look like. */
const SHAPES: readonly (readonly [string, string])[] = [
  [
    '`JOIN`, `LEFT`, `RIGHT` and `FULL JOIN … USING (<person key>)` or `ON a.<key> = b.<key> and …`',
    'a FULL JOIN on the person key only; a key that may be missing can be tested for null and counted',
  ],
  ['`a, b WHERE a.<key> = b.<key>`, `CROSS JOIN` with the same', 'without equal person keys it is declined'],
  [
    '`EXISTS`, `NOT EXISTS (SELECT … WHERE s.<key> = a.<key> and …)`',
    'may read further columns of the row around it; chooses people. Also over values that are written out, tied by whatever condition',
  ],
  [
    '`<person key> IN (SELECT <person key> …)`, `NOT IN`, also `GROUP BY <person key> HAVING …`',
    'chooses people',
  ],
  [
    '`UNION`, `INTERSECT` and `EXCEPT` of person keys, after `IN` or as a relation',
    'a set of people; `UNION ALL` of them as a relation where nothing but `count(distinct <person key>)` is asked. With further columns, and with `ALL` otherwise, they are declined: the branches would choose how often a person’s value counts ([why](../decisions/0018-sub-queries-over-other-people-are-questions-of-their-own.md))',
  ],
  [
    '`x IN (SELECT y … WHERE s.<key> = a.<key>)`, `x > ANY`, `x <= ALL` and so on',
    'three-valued, as in PostgreSQL',
  ],
  [
    '`(SELECT y … WHERE s.<key> = a.<key> ORDER BY … LIMIT 1)`, after `IN` any `LIMIT`',
    'the first rows of the person; equal ones come as they are stored. Its conditions look at the person of the row around it and at nothing else of that row',
  ],
  [
    '`a, LATERAL (SELECT … WHERE s.<key> = a.<key> and …)`, `CROSS`, `INNER` and `LEFT JOIN LATERAL … ON true`',
    'an expression without `FROM`, aggregates, or rows; with `ORDER BY … LIMIT` the first rows of the person. No `GROUP BY`, `DISTINCT` or windows within',
  ],
  ['`SELECT DISTINCT ON (<person key>[, …]) … ORDER BY …` in a sub-select', 'the first row of each person'],
  ['`NATURAL JOIN`', 'on every column that both sides have, the person key among them'],
  ['`(SELECT …)` without `FROM`, `x IN (VALUES (1), (2))`', 'an expression; a list'],
  [
    '`VALUES`, `SELECT` of constants, and `UNION`, `UNION ALL`, `INTERSECT`, `EXCEPT` of them, as a CTE or sub-select',
    `a relation of nobody's rows, of at most ${LIMITS.queryWrittenRowsMax}; also after \`IN\` and, of one row, as a value. A set operation of constants with rows of a data set is declined as one of two data sets is`,
  ],
  [
    '`a JOIN (VALUES (…), …) v(x, y) ON v.x = a.x`, `LEFT JOIN`, `USING`, `BETWEEN v.least AND v.most`; `a, (VALUES …) v(x, y) WHERE v.x = a.x`',
    'each row meets one row of it at most: by values that come once in it, or by ranges that do not overlap; what could meet several is declined, because it would count as often. It becomes a `CASE`: what it is tied to is a use of the column, and an exact sum of its values is taken apart as one of a `CASE` is. One row needs no tie (`CROSS JOIN`). Joined so that its rows stay (`(VALUES …) v LEFT JOIN a`), the question groups by what tells them apart: who is met by nobody is a group of nobody, which is not shown. `min(v.x)` and `max(v.x)` are what follows from such keys',
  ],
  ['`(a, b) = (c, d)`, `<>`, `IN ((1, 2), (3, 4))`', 'member by member'],
  ["`x > ANY (ARRAY[…])`, `ALL`, `= ANY ('{a,b}')`", 'of what is written out'],
  [
    '`(SELECT <aggregate> … WHERE s.<key> = a.<key>)`',
    'a value of the person; without an aggregate of a data set with one row a person, or with `LIMIT 1`',
  ],
  [
    'a sub-query that is not tied to the person of its row',
    'declined: it would switch every row by what nobody guarded; ask it as a question of its own and write its answer out ([why](../decisions/0018-sub-queries-over-other-people-are-questions-of-their-own.md)), which [`hedgerow ask --stages`](../how-to/ask-so-that-you-are-answered.md#ask-in-stages) does',
  ],
  [
    '`WITH`, also `MATERIALIZED`; sub-selects that project and filter',
    'recursive ones are declined: how often a person comes round could not be bounded. `LIMIT` is declined: the rows of others would decide. `ORDER BY` alone changes nothing',
  ],
  [
    'sub-select with `GROUP BY <person key>[, …] [HAVING …]` or `SELECT DISTINCT <person key>[, …]`, also of window functions',
    'values of each person; further keys give a person several rows',
  ],
  ['`SELECT DISTINCT` of a question', 'the same as grouping by its columns'],
  [
    '`SELECT … FROM (SELECT … GROUP BY …) t [WHERE …]`, also of a CTE, again and again',
    'the SELECT around chooses, orders, groups and computes over the groups that are shown, as `HAVING` does; a group that is held back is in no sum of it, and there is no remainder where it groups. There is no `LIMIT` within',
  ],
  [
    '`FETCH FIRST n ROWS WITH TIES` of a question, with `ORDER BY`',
    'the groups up to the last of them and its equals; not in `rows`',
  ],
  [
    '`GROUP BY ROLLUP`, `CUBE`, `GROUPING SETS`',
    'the groups of every set are guarded together; a total may be left out because it would tell a part. In `private` a person counts in one group of each set unless the ask says otherwise',
  ],
  ['`GROUPING(x, …)`', 'as in PostgreSQL; null in the remainder'],
]

interface Listed {
  readonly id: CallId
  readonly row: CatalogueRow
}

function callTable(rows: readonly Listed[]): string {
  return markdownTable(
    ['written', 'takes', 'gives', 'allowed in', 'bound', 'sensitivity', 'note'],
    rows.map(({ id, row: { names, takes, gives, isVariadic, says } }) => {
      const { modes, bound, sensitivity } = termsOf(id)
      return [
        names.map((name) => `\`${name}\``).join(', '),
        `${takes.map(takenText).join(', ')}${isVariadic === true ? ' …' : ''}`,
        gives,
        modes,
        bound,
        sensitivity,
        says ?? '',
      ]
    }),
  )
}

/** What each row becomes on each engine, with letters for its arguments. */
function formTable(rows: readonly Listed[]): string {
  return markdownTable(
    ['written', 'takes', 'DuckDB', 'PostgreSQL'],
    rows.map(({ row }) => {
      const all = ['a', 'b', 'c'].slice(
        0,
        row.takes.filter((parameter) => typeof parameter === 'string').length,
      )
      const constants = row.takes.flatMap((parameter) =>
        typeof parameter === 'string' ? [] : [SAMPLES[parameter.constant]],
      )
      // Edges of buckets rise.
      const rising = constants.map((value, index) => (value === 10 ? value * (index + 1) : value))
      const [a = 'a', b = 'b', c = 'c'] = all
      const args = { a, b, c, all, constants: rising }
      return [
        row.names.map((name) => `\`${name}\``).join(', '),
        row.takes.map(takenText).join(', '),
        `\`${row.duckdb(args).replaceAll('\n', ' ')}\``,
        `\`${row.postgres(args).replaceAll('\n', ' ')}\``,
      ]
    }),
  )
}

function takenText(parameter: Parameter): string {
  return typeof parameter === 'string' ? parameter : `constant (${parameter.constant})`
}

const withinOnePerson = `Within one person \`count(distinct x)\` counts different values, \`mode\` is the least of the most frequent ones, and \`string_agg(distinct x, ', ')\` joins what the manifest lists few values of, or a person has few rows of. \`count(case when … then <person key> end)\` counts rows, and with \`distinct\` people, as with \`filter (where …)\`.`

function pairsTable(): string {
  return markdownTable(
    ['aggregate', 'of'],
    Object.entries(PAIR_AGGREGATES).map(([name, { says }]) => [`\`${name}(y, x)\``, says]),
  )
}
