import { attacksFail } from './attack-chains.ts'

/*
 * Intersection: each condition is wide, all together are one person (compliance reference 6.2, number 2). Measure of
 * success: an answer about what remains, or about all but what remains.
 */

const WIDE = [
  "sex = 'm'",
  'score >= 50',
  'height > 1.9',
  "born > '1985-01-01'",
  "town <> 'Cork'",
  'not smokes',
  "seen < '2026-06-01'",
]

attacksFail([
  {
    name: 'all together',
    questions: [`select count(*) from athletes where ${WIDE.join(' and ')}`],
    last: /group_too_small/,
  },
  {
    name: 'one more each time',
    questions: WIDE.map(
      (_, count) => `select count(*) from athletes where ${WIDE.slice(0, count + 1).join(' and ')}`,
    ).slice(0, 2),
  },
  {
    name: 'all but all together',
    questions: [
      'select count(*) from athletes',
      `select count(*) from athletes where not (${WIDE.join(' and ')})`,
    ],
    last: /differencing/,
  },
  {
    name: 'as filters of one question',
    questions: [
      `select ${WIDE.map((_, count) => `count(*) filter (where ${WIDE.slice(0, count + 1).join(' and ')})`).join(', ')} from athletes`,
    ],
    last: /declined/,
  },
  {
    name: 'as keys',
    questions: [`select ${WIDE.slice(0, 2).join(', ')}, sum(score) from athletes group by 1, 2`],
  },
  {
    name: 'as more keys than are allowed',
    questions: [
      `select ${WIDE.join(', ')}, count(*) from athletes group by ${WIDE.map((_, index) => index + 1).join(', ')}`,
    ],
    last: /declined\.column/,
  },
])
