import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attackedSite, attacksFail } from './attack-chains.ts'
import { GRANTED, TARGET } from './worlds.ts'

/*
 * Join probes: a list of one real target and made-up others, to learn whether the target is in the data, or what the
 * target's value is (Venkatadri et al. 2018; compliance reference 6.2, number 7). Measure of success: an answer whose
 * people are the target alone, or whose presence depends on the target.
 */

const fakes = Array.from({ length: 19 }, (_, index) => `'20${10 + index}-01-01'`).join(', ')

attacksFail([
  {
    name: 'the target and nineteen made-up birthdays',
    questions: [`select count(*) from athletes where born in ('1999-09-09', ${fakes})`],
    last: /group_too_small/,
  },
  {
    name: 'the same through a list that is joined',
    questions: [
      `select count(*) from athletes join (values (date '1999-09-09'), (date '2010-01-01')) as listed(born) using (born)`,
    ],
    last: /declined/,
  },
  {
    name: 'people by the keys that the asker knows',
    questions: ["select count(*) from athletes where id in ('p-7', 'p-900', 'p-901')"],
    last: /declined/,
  },
  {
    name: 'different people who are one',
    questions: [`select count(distinct id), count(*) from athletes where born in ('1999-09-09', ${fakes})`],
    last: /group_too_small/,
  },
  {
    name: 'the target among exactly enough real people, beside those without',
    questions: [
      "select count(*) from athletes where town = 'Galway'",
      "select count(*) from athletes where town in ('Galway', 'Nowhere')",
    ],
    last: /differencing/,
  },
  {
    name: 'somebody without a grant by their marker',
    questions: ["select count(*) from athletes where town = 'Mq7xMARKER'"],
    last: /group_too_small/,
  },
  {
    name: 'a join that only the target survives',
    questions: [
      "select count(*) from athletes a join (select id, count(*) as n from sessions where place = 'vault' group by id) v using (id)",
    ],
    last: /group_too_small/,
  },
  {
    name: 'a join that all but the target survive',
    questions: [
      'select count(*) from athletes',
      "select count(*) from athletes a join (select id, count(*) as n from sessions where place <> 'vault' group by id) v using (id)",
    ],
    last: /differencing/,
  },
  {
    name: 'an outer join of which the target alone has no other side',
    questions: [
      "select count(v.n), count(*) from athletes a left join (select id, count(*) as n from sessions where place <> 'vault' group by id) v using (id)",
    ],
    last: /declined/,
  },
])

test('who is not there and who is there alone are told the same', async () => {
  const probe = "select count(*) from athletes where born = '1999-09-09'"
  const there = await attackedSite.asker().ask(probe)
  const notThere = await attackedSite.asker(GRANTED.filter((person) => person !== TARGET)).ask(probe)
  assert.deepEqual(there, notThere)
})
