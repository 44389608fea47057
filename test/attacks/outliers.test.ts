import { attacksFail } from './attack-chains.ts'

/*
 * Outliers: a value so large that the sum is that person's (compliance reference 6.2, number 8). Measure of success: an
 * answer that follows one person: extremes, sums that one person dominates, sums in which all others are nothing, and
 * powers that make the largest value count for everything.
 */

attacksFail([
  { name: 'the greatest value', questions: ['select max(score) from athletes'], last: /declined/ },
  { name: 'the least value', questions: ['select min(height) from athletes'], last: /declined/ },
  {
    name: 'a sum in which the others are 0',
    questions: ['select sum(medals) from athletes'],
    last: /group_too_small/,
  },
  {
    name: 'an average in which the others are 0',
    questions: ['select avg(medals) from athletes'],
    last: /group_too_small/,
  },
  {
    name: 'a variance in which the others are 0',
    questions: ['select variance(medals) from athletes'],
    last: /group_too_small/,
  },
  {
    name: 'a product with what only one has',
    questions: ['select sum(medals * score) from athletes'],
    last: /group_too_small/,
  },
  {
    name: 'a quotient by what only one has',
    questions: ['select sum(score / medals) from athletes'],
    last: /declined/,
  },
  {
    name: 'a high power',
    questions: ['select sum(score * score * score * score * score) from athletes'],
    last: /declined/,
  },
  { name: 'an exponential', questions: ['select sum(exp(score)) from athletes'], last: /declined/ },
  {
    name: 'a threshold at the extreme',
    questions: ['select count(*) from athletes where score > 95'],
    last: /group_too_small/,
  },
  {
    name: 'the greatest of a constant and a value',
    questions: ['select sum(greatest(score, 95)) from athletes'],
    // Whoever is above is a set of its own, and left out of what is answered.
    last: /^partial\.differencing/,
  },
  {
    name: 'the greatest per person, then of all',
    questions: ['select max(m) from (select id, max(minutes) as m from sessions group by id) v'],
    last: /declined/,
  },
  {
    name: 'everything beyond the declared bounds',
    questions: ['select sum(score * 1000000000) / 1000000000 - sum(score) from athletes'],
  },
])
