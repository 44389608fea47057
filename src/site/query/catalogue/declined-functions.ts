/** Functions that an analyst may look for and no question may call, with why. */
export interface DeclinedFunctions {
  readonly names: readonly string[]
  readonly why: string
}

/** A table: what is declined by name, so that the answer can say why. Whatever is on no list is declined too. */
export const DECLINED_FUNCTIONS: readonly DeclinedFunctions[] = [
  {
    names: ['min', 'max', 'any_value', 'first', 'last'],
    why: 'it would be one person’s value; computed for each person in a sub-query it may be summed or compared; with noise, mode private answers percentile_cont',
  },
  {
    names: ['percentile_cont', 'percentile_disc', 'median', 'mode', 'quantile'],
    why: 'it would be one person’s value; count bands of it, as floor(x / 10); with noise, mode private answers quantiles',
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
      'group_concat',
      'listagg',
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
    why: "an equal question must mean the same tomorrow; write the moment out, as in timestamp '2026-01-31 12:00'",
  },
  {
    names: ['random', 'random_normal', 'setseed', 'gen_random_uuid', 'nextval', 'currval', 'lastval'],
    why: 'an equal question must have an equal answer; ask about everybody, or choose by a column',
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
    why: 'it makes rows that are nobody’s; write values out with VALUES, or a series of at most 200 of them, in FROM or alone in a SELECT',
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
    why: 'a whole row cannot be traced to permitted columns, and a document is read, not made; name the columns of the answer, and take values out of documents with ->, ->>, #> and #>>',
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
  {
    names: [
      'approx_percentile',
      'approx_quantile',
      'percentile',
      'quantile_cont',
      'quantile_disc',
      'approx_median',
    ],
    why: 'it is of another dialect, and would be one person’s value; count bands of it, as floor(x / 10); with noise, mode private answers percentile_cont',
  },
  {
    names: ['approx_count_distinct', 'count_distinct', 'countd', 'uniq', 'hll_cardinality'],
    why: 'it is of another dialect; write count(distinct <person key>)',
  },
  {
    names: ['countif', 'count_if', 'sumif', 'sum_if', 'avgif', 'avg_if', 'countifs', 'sumifs'],
    why: 'it is of another dialect; write count(*) filter (where …)',
  },
  {
    names: ['if', 'iif', 'iff'],
    why: 'it is of another dialect; write case when … then … else … end',
  },
  {
    names: ['ifnull', 'nvl', 'nvl2', 'isnull', 'zeroifnull'],
    why: 'it is of another dialect; write coalesce(x, y)',
  },
  {
    names: [
      'datediff',
      'date_diff',
      'timestampdiff',
      'months_between',
      'dateadd',
      'date_add',
      'date_sub',
      'adddate',
    ],
    why: "it is of another dialect; write a - b for days, extract(year from age(a, b)) for whole years, and t + interval '1 day'",
  },
  {
    names: [
      'year',
      'quarter',
      'month',
      'week',
      'day',
      'hour',
      'minute',
      'dayofweek',
      'dayofyear',
      'weekday',
      'weekofyear',
      'dayname',
      'monthname',
    ],
    why: "it is of another dialect; write extract(year from t), or to_char(t, 'Month')",
  },
  {
    names: ['strftime', 'date_format', 'format_date', 'format_timestamp', 'datename', 'datepart'],
    why: "it is of another dialect; write to_char(t, 'YYYY-MM')",
  },
  {
    names: ['str_to_date', 'parse_date', 'strptime', 'todate'],
    why: "it is of another dialect; write to_date(x, 'YYYY-MM-DD')",
  },
  {
    names: ['safe_divide', 'divide', 'div0'],
    why: 'it is of another dialect; write a / nullif(b, 0)',
  },
  { names: ['instr', 'locate', 'charindex'], why: 'it is of another dialect; write position(a in b)' },
  { names: ['top'], why: 'it is of another dialect; write LIMIT at the end' },
  { names: ['len'], why: 'it is of another dialect; write length(x)' },
  { names: ['ucase', 'lcase'], why: 'it is of another dialect; write upper(x) or lower(x)' },
  {
    names: ['rand', 'newid', 'uuid', 'rownum'],
    why: 'an equal question must have an equal answer; ask about everybody, or choose by a column',
  },
  {
    names: ['hashtext', 'hash', 'crc32', 'farm_fingerprint'],
    why: 'the engines differ, and a person key may only be counted, joined on or shown; choose by a column',
  },
  { names: ['<=>'], why: 'it is of another dialect; write IS NOT DISTINCT FROM' },
  { names: ['=='], why: 'it is of another dialect; write =' },
  { names: ['!=='], why: 'it is of another dialect; write <>' },
]

const whyByName = new Map(
  DECLINED_FUNCTIONS.flatMap(({ names, why }) => names.map((name) => [name, why] as const)),
)

/** ` (why)` for a function on the list, else nothing. */
export function whyDeclined(name: string): string {
  const why = whyByName.get(name)
  return why === undefined ? '' : ` (${why})`
}
