import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkQuestion } from '../../../src/site/query/check-question.ts'
import { manifestsAt } from './open-study.ts'

/** Ways to one person's value that acquirers have tried on tables like these. Each is declined by the gate. */
interface Trap {
  readonly name: string
  readonly site: 'galway' | 'zurich' | 'dresden'
  readonly sql: string
  readonly code: string
}

const traps: readonly Trap[] = [
  {
    name: 'everybody but one',
    site: 'zurich',
    sql: 'select avg(total_steps) from daily_activity where person_id <> 4711',
    code: 'declined.column',
  },
  {
    name: 'the key of the person as a group under a harmless alias',
    site: 'galway',
    sql: 'select player_id as region, count(*) from play_sessions group by region',
    code: 'declined.column',
  },
  {
    name: 'the key computed with, as a group',
    site: 'galway',
    sql: 'select player_id + 0 as region, count(*) from play_sessions group by 1',
    code: 'declined.column',
  },
  {
    name: 'the key carried out of a CTE by string_agg',
    site: 'galway',
    sql: `with s as (select game, string_agg(distinct player_id::text, ',') as ids from play_sessions group by game)
      select ids, count(*) from s group by ids`,
    code: 'declined.column',
  },
  {
    name: 'the key carried out of a CTE under another name',
    site: 'galway',
    sql: `with s as (select player_id as shard, count(*) as n from play_sessions group by player_id)
      select shard, sum(n) from s group by shard`,
    code: 'declined.column',
  },
  {
    name: 'the key carried by a lateral join',
    site: 'galway',
    sql: `select l.ids, count(*) from play_sessions s, lateral (select array_agg(p.player_id) as ids from players p) l
      group by l.ids`,
    code: 'declined.sql_not_supported',
  },
  {
    name: 'the largest value',
    site: 'zurich',
    sql: 'select max(total_steps) from daily_activity',
    code: 'declined.sql_function',
  },
  {
    name: 'the smallest of the largest values',
    site: 'zurich',
    sql: 'select min(t.m) from (select person_id, max(total_steps) as m from daily_activity group by person_id) t',
    code: 'declined.sql_function',
  },
  {
    name: 'the quantile at 0',
    site: 'galway',
    sql: 'select percentile_cont(0) within group (order by hours_logged) from player_waves',
    code: 'declined.sql_not_supported',
  },
  {
    name: 'the quantile at 1',
    site: 'galway',
    sql: 'select game, percentile_cont(1) within group (order by hours_logged) from player_waves group by game',
    code: 'declined.sql_not_supported',
  },
  {
    name: 'an error that tells whether somebody is there',
    site: 'zurich',
    sql: 'select count(*) from daily_activity where case when person_id = 4711 then 1/0 end is null',
    code: 'declined.column',
  },
  {
    name: 'the one with most, by ORDER BY and LIMIT in a sub-select',
    site: 'zurich',
    sql: `select avg(t.total_steps) from (select total_steps, person_id from daily_activity order by total_steps desc limit 1) t`,
    code: 'declined.sql_not_supported',
  },
  {
    name: 'a window over more than one person, which would keep a row of the whole',
    site: 'zurich',
    sql: `select avg(t.s) from (select person_id, total_steps as s, row_number() over (order by total_steps desc) as n
      from daily_activity) t where t.n = 1`,
    code: 'declined.sql_not_supported',
  },
  {
    name: 'a whole row as a value',
    site: 'zurich',
    sql: 'select count(distinct t) from daily_activity t',
    code: 'declined.column',
  },
  {
    name: 'a whole row made a document',
    site: 'zurich',
    sql: 'select to_jsonb(t) from daily_activity t',
    code: 'declined.sql_function',
  },
  {
    name: 'a whole row through an alias',
    site: 'zurich',
    sql: 'select t.* from daily_activity t',
    code: 'declined.column',
  },
  {
    name: 'two populations joined by their keys',
    site: 'zurich',
    sql: `select count(*) from daily_activity d join lifesnaps_daily l on d.person_id = l.person_id`,
    code: 'declined.sql_not_supported',
  },
  {
    name: 'two populations joined by the day',
    site: 'zurich',
    sql: `select count(*) from daily_activity d join lifesnaps_daily l on d.activity_date = l.day`,
    code: 'declined.sql_not_supported',
  },
  {
    name: 'wearers joined with players, who are at another site',
    site: 'zurich',
    sql: 'select count(*) from daily_activity d join players p on p.player_id = d.person_id',
    code: 'declined.sql_not_supported',
  },
  {
    name: 'the number of a row of the issuer, which is a time to the millisecond',
    site: 'zurich',
    sql: 'select log_id, count(*) from weight_log group by log_id',
    code: 'declined.column',
  },
  {
    name: 'single years of age, dressed as a sum of coarse bins',
    site: 'galway',
    sql: 'select age_years / 5 as a, (age_years + 1) / 5 as b, count(distinct player_id) from players group by 1, 2',
    code: 'declined.column',
  },
]

test('traps: each is declined by the gate, by its own reason, and names nobody', async () => {
  const found: string[] = []
  for (const { name, site, sql, code } of traps) {
    const checked = checkQuestion(sql, { mode: 'aggregate', dataSets: await manifestsAt(site) })
    const said = checked.ok ? 'taken' : checked.error.code
    if (said !== code) found.push(`${name}: ${said}, expected ${code}`)
    if (!checked.ok) assert.doesNotMatch(checked.error.detail ?? '', /4711/, name)
  }
  assert.deepEqual(found, [])
})
