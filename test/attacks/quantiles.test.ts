import { attacksFail } from './attack-chains.ts'

/*
 * Quantiles and other aggregates that are somebody's value: each gives one person's number however many there are.
 * Measure of success: an exact answer with one of them.
 */

const FUNCTIONS = [
  'percentile_cont(0.5) within group (order by score)',
  'percentile_disc(0) within group (order by score)',
  'percentile_disc(1) within group (order by score)',
  'mode() within group (order by born)',
  'median(score)',
  'quantile_cont(score, 0.5)',
  'approx_quantile(score, 1.0)',
  'min(score)',
  'max(born)',
  'first(score)',
  'last(score)',
  'any_value(town)',
  'arbitrary(town)',
  'arg_max(town, score)',
  'array_agg(score)',
  "string_agg(town, ',')",
  'json_agg(score)',
  'json_object_agg(town, score)',
  'jsonb_agg(town)',
  'list(score)',
  'histogram(score)',
  'bit_and(score)',
  'bit_or(score)',
  'bit_xor(score)',
  'bool_and(smokes)',
  'every(smokes)',
  'product(score)',
  'kurtosis(score)',
  'skewness(score)',
  'entropy(score)',
  'mad(score)',
  'hash(score)',
  'checksum(score)',
  'rank(50) within group (order by score)',
  'percent_rank(50) within group (order by score)',
  'cume_dist(50) within group (order by score)',
]

attacksFail(
  FUNCTIONS.flatMap((called) => [
    {
      name: called,
      questions: [`select ${called} from athletes`],
      last: /declined\.(sql_not_supported|sql_function|column)/,
    },
    {
      name: `${called} of one`,
      questions: [`select ${called} from athletes where born = '1999-09-09'`],
      last: /declined/,
    },
  ]),
)
