/** Functions that an analyst may look for and no question may call, with why. */
export interface DeclinedFunctions {
  readonly names: readonly string[]
  readonly why: string
}

/** A table: what is declined by name, so that the answer can say why. Whatever is on no list is declined too. */
export const DECLINED_FUNCTIONS: readonly DeclinedFunctions[] = [
  {
    names: ['min', 'max', 'any_value', 'first', 'last'],
    why: 'it would be one person’s value; computed for each person in a sub-query it may be summed or compared, and mode private, where it is offered, answers quantiles with noise',
  },
  {
    names: ['percentile_cont', 'percentile_disc', 'median', 'mode', 'quantile'],
    why: 'it would be one person’s value; mode private, where it is offered, answers quantiles with noise',
  },
  {
    names: [
      'array_agg',
      'string_agg',
      'json_agg',
      'jsonb_agg',
      'json_object_agg',
      'jsonb_object_agg',
      'xmlagg',
      'list',
    ],
    why: 'it lists values of people; group by them instead, join those of one person in a sub-query with string_agg(distinct x, …), or take their first by distinct on (<person key>) or first_value(x) over (partition by <person key> order by …)',
  },
  {
    names: ['bool_or', 'bool_and', 'every', 'bit_and', 'bit_or', 'bit_xor'],
    why: 'it tells of a single person whether they differ from all others; count with FILTER instead',
  },
  {
    names: [
      'now',
      'clock_timestamp',
      'statement_timestamp',
      'transaction_timestamp',
      'timeofday',
      'localtime',
    ],
    why: 'an equal question must mean the same tomorrow; write the moment out',
  },
  {
    names: ['random', 'random_normal', 'setseed', 'gen_random_uuid', 'nextval', 'currval', 'lastval'],
    why: 'an equal question must have an equal answer',
  },
  {
    names: [
      'regexp_match',
      'regexp_matches',
      'regexp_instr',
      'regexp_split_to_array',
      'regexp_split_to_table',
      'similar_to_escape',
    ],
    why: 'it gives lists or rows; take what a pattern finds with substring(x from pattern), regexp_substr, regexp_count and regexp_replace',
  },
  {
    names: ['generate_series', 'string_to_table'],
    why: 'it makes rows that are nobody’s',
  },
  {
    names: [
      'unnest',
      'json_array_elements',
      'jsonb_array_elements',
      'json_array_elements_text',
      'jsonb_array_elements_text',
      'json_each',
      'jsonb_each',
      'json_object_keys',
      'jsonb_object_keys',
      'json_to_record',
      'jsonb_to_record',
    ],
    why: 'it makes several rows of one; ask with = ANY, &&, @>, ? or by a place in the list',
  },
  {
    names: [
      'row_to_json',
      'to_json',
      'to_jsonb',
      'json_build_object',
      'jsonb_build_object',
      'json_extract_path',
      'jsonb_extract_path',
      'jsonb_path_query',
      'jsonb_path_exists',
      'jsonb_set',
      'jsonb_strip_nulls',
      'jsonb_pretty',
      'hstore',
    ],
    why: 'a whole row cannot be traced to permitted columns, and a document is read, not made; take values out with ->, ->>, #> and #>>',
  },
  {
    names: [
      'array_position',
      'array_positions',
      'array_to_string',
      'array_append',
      'array_cat',
      'array_remove',
      'string_to_array',
    ],
    why: 'lists are read, not made; ask with = ANY, &&, @>, cardinality and [n]; of a text, (string_to_array(a, b))[n], array_length(string_to_array(a, b), 1) and = any (string_to_array(a, b)) may be asked',
  },
  {
    names: ['age', 'justify_days', 'justify_hours', 'justify_interval', 'make_interval'],
    why: 'a span of time is a constant here; use extract(year from age(a, b)), extract(month from age(a, b)) or extract(epoch from a - b), or compare age(a, b) with a span that is written out',
  },
  {
    names: ['@?', '@@', '#-'],
    why: 'a path language of one engine; take values out with ->, ->>, #> and #>> and compare them',
  },
  {
    names: ['make_timestamp', 'to_timestamp', 'to_number'],
    why: 'what is no date or number makes it fail, which would tell of a value',
  },
  {
    names: ['initcap'],
    why: 'the engines differ; write upper(left(x, 1)) || substr(x, 2)',
  },
  {
    names: ['quote_literal', 'quote_ident', 'reverse', 'ascii', 'chr', 'md5', 'sha256', 'encode', 'decode'],
    why: 'texts would grow, or the engines differ',
  },
]

const whyByName = new Map(
  DECLINED_FUNCTIONS.flatMap(({ names, why }) => names.map((name) => [name, why] as const)),
)

/** ` (why)` for a function on the list, else nothing. */
export function whyDeclined(name: string): string {
  const why = whyByName.get(name)
  return why === undefined ? '' : ` (${why})`
}
