import type { CatalogueRow } from './catalogue-row.ts'
import { duckdbFinite, naming, postgresFinite } from './forms.ts'
import type { Text } from './forms.ts'
import { range } from './ranges.ts'

/*
 * JSON documents are kept as texts of one form (`stored-json.ts`): DuckDB reads them as they are, PostgreSQL as `json`, which
 * keeps the text of whatever is taken out.
 */

/** A member of an object, or a value of a list by a whole number, for DuckDB: a JSON pointer (RFC 6901) of one step. */
function pointer(name: Text): Text {
  return `'/' || replace(replace(${name}, '~', '~0'), '/', '~1')`
}

const DUCKDB_KIND = `case json_type("a") when 'OBJECT' then 'object' when 'ARRAY' then 'array' when 'VARCHAR' then 'string' when 'BOOLEAN' then 'boolean' when 'NULL' then 'null' when 'UBIGINT' then 'number' when 'BIGINT' then 'number' when 'DOUBLE' then 'number' end`

const isArray = {
  duckdb: (a: Text): Text => `json_type(${a}) = 'ARRAY'`,
  postgres: `json_typeof("a") = 'array'`,
}

/** A table: what may be taken out of a JSON document and asked of it. What is not there, or of another kind, is null. */
export const JSON_CALLS = {
  json_member: {
    kind: 'operator',
    names: ['->'],
    takes: ['json', 'member name'],
    gives: 'json',
    says: 'the name is written out; of equal names in an object the last counts',
    duckdb: ({ a, b }) => `json_extract(${a}, ${pointer(b)})`,
    postgres: ({ a, b }) => `(${a} -> ${b})`,
  },
  json_member_of_digits: {
    kind: 'operator',
    names: ['->'],
    takes: ['json', 'member name of digits'],
    gives: 'json',
    says: 'of an object only, as in PostgreSQL',
    duckdb: ({ a, b }) => `json_extract(${a}, '$."' || ${b} || '"')`,
    postgres: ({ a, b }) => `(${a} -> ${b})`,
  },
  json_item: {
    kind: 'operator',
    names: ['->'],
    takes: ['json', { constant: 'json index' }],
    gives: 'json',
    says: 'the value of a list, from 0, or from the end with -1',
    duckdb: ({ a, constants: [index = 0] }) =>
      `json_extract(${a}, '$[${Number(index) < 0 ? `#${index}` : index}]')`,
    postgres: ({ a, constants: [index = 0] }) => `(${a} -> ${index})`,
  },
  json_step: {
    kind: 'operator',
    names: ['#>'],
    takes: ['json', 'path step'],
    gives: 'json',
    says: 'a step of a path: `#>` and `#>>` take a path that is written out, such as `{a,0,b}`',
    duckdb: ({ a, b }) => `json_extract(${a}, ${pointer(b)})`,
    postgres: ({ a, b }) => `(${a} #> array[${b}])`,
  },
  json_text: {
    kind: 'operator',
    names: ['->>'],
    takes: ['json'],
    gives: 'text',
    says: 'of what `->` gives: a text as it is, anything else as JSON without spaces; `#>>` is the same of `#>`',
    duckdb: ({ a }) => `json_extract_string(${a}, '$')`,
    // Named, so that the collation gives way to one that is written around it.
    postgres: ({ a }) => naming({ t: `(${a} #>> '{}') collate "C"` }, '"t"'),
  },
  json_kind: {
    kind: 'function',
    names: ['jsonb_typeof', 'json_typeof'],
    takes: ['json'],
    gives: 'text',
    duckdb: ({ a }) => DUCKDB_KIND.replaceAll('"a"', a),
    postgres: ({ a }) => `json_typeof(${a})`,
  },
  json_length: {
    kind: 'function',
    names: ['jsonb_array_length', 'json_array_length'],
    takes: ['json'],
    gives: 'integer',
    says: 'null of what is no list',
    prints: 2,
    duckdb: ({ a }) => `case when ${isArray.duckdb(a)} then cast(json_array_length(${a}) as bigint) end`,
    postgres: ({ a }) =>
      naming({ a }, `case when ${isArray.postgres} then cast(json_array_length("a") as bigint) end`),
    range: () => range(0, 65_536),
  },
  json_has: {
    kind: 'operator',
    names: ['?'],
    takes: ['json', 'path step'],
    gives: 'boolean',
    says: 'whether an object has a member, or a list a text; `?|` and `?&` ask for several',
    prints: 6,
    duckdb: ({ a, b }) =>
      `case when ${a} is null or ${b} is null then null when json_type(${a}) = 'OBJECT' then json_exists(${a}, ${pointer(b)}) when ${isArray.duckdb(a)} then coalesce(list_contains(json_extract(${a}, '$[*]'), to_json(${b})), false) else ${a} = to_json(${b}) end`,
    postgres: ({ a, b }) => `(cast(${a} as jsonb) ? ${b})`,
  },
  json_items_have: {
    kind: 'operator',
    names: ['@>'],
    takes: ['json', 'json value'],
    gives: 'boolean',
    says: 'whether a list has a single value; `@>` takes a document that is written out, lists in it of single values',
    prints: 3,
    duckdb: ({ a, b }) =>
      `case when ${isArray.duckdb(a)} then list_contains(json_extract(${a}, '$[*]'), cast(${b} as json)) when ${a} is not null then false end`,
    postgres: ({ a, b }) =>
      naming(
        { a },
        `case when ${isArray.postgres} then cast("a" as jsonb) @> jsonb_build_array(cast(${b} as jsonb)) when "a" is not null then false end`,
      ),
  },
  cast_json_number: {
    kind: 'cast',
    names: ['json as number'],
    takes: ['json'],
    gives: 'number',
    says: 'null of what is no number',
    prints: 2,
    duckdb: ({ a }) =>
      duckdbFinite(
        `case when json_type(${a}) in ('UBIGINT', 'BIGINT', 'DOUBLE') then try_cast(json_extract_string(${a}, '$') as double) end`,
      ),
    postgres: ({ a }) =>
      postgresFinite(
        naming({ a }, `case when json_typeof("a") = 'number' then cast("a" #>> '{}' as float8) end`),
      ),
  },
  cast_json_boolean: {
    kind: 'cast',
    names: ['json as boolean'],
    takes: ['json'],
    gives: 'boolean',
    says: 'null of what is neither true nor false',
    prints: 2,
    duckdb: ({ a }) =>
      `case when json_type(${a}) = 'BOOLEAN' then json_extract_string(${a}, '$') = 'true' end`,
    postgres: ({ a }) =>
      naming({ a }, `case when json_typeof("a") = 'boolean' then ("a" #>> '{}') = 'true' end`),
  },
} as const satisfies Readonly<Record<string, CatalogueRow>>
