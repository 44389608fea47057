import { declinesAll } from './declines-all.ts'

/* Columns that may not be used so, questions that are too large, and what the answer says then. */

declinesAll([
  [
    "select to_char(born, 'YYYY-MM'), count(*) from athletes group by 1",
    'declined.column',
    /bins of at least year/,
  ],
  [
    "select extract(year from age('2026-01-01', born)), extract(year from age('2026-01-02', born)), count(*) from athletes group by 1, 2",
    'declined.column',
    /one way only/,
  ],
  [
    'select avg(minutes) from sessions s join sessions t on s.id = t.id',
    'declined.column',
    /^Column "minutes" stands in more than one relation; name the relation too, at character 12$/,
  ],
  [
    'select count(*) from athletes a where a.id in (select place from sessions s where s.id = a.id)',
    'declined.column',
    /looked for among person keys/,
  ],
  [
    'select avg(height), (select sum(minutes) from sessions s where s.id = a.id) from athletes a',
    'declined.column',
    /must stand in GROUP BY/,
  ],
  [
    'select count(*) from (select s.id as sid from athletes a left join athletes s on a.id = s.id and s.gold > 0) t left join athletes b on b.id = t.sid',
    'declined.column',
    /may be missing in a row of its sub-select/,
  ],
  [
    'select count(*) from athletes group by cube (sex, active, gold)',
    'declined.column',
    /grouped by 3 dimensions; 2 are allowed/,
  ],
  ['select id from athletes where id > id', 'declined.column', /in mode rows, shown/],
  ['select name from athletes group by name', 'declined.column', /"name" identifies people directly/],
  ['select count(notes) from athletes', 'declined.column', /"notes" is free text/],
  [
    'select count(*) from athletes where nme = 1',
    'declined.column',
    // Those that may stand in no question are not offered: a name, and notes.
    /no column "nme"; there are "id", "sex", "height", "weight", "elo", "gold", "born", "active", at character 37$/,
  ],
  ['select height from athletes', 'declined.column', /"height" must stand in GROUP BY/],
  ['select avg(elo) from athletes', 'declined.column', /"elo" has no declared bounds/],
  ['select id, count(*) from athletes group by id', 'declined.column', /grouped by the person key/],
  ["select count(*) from athletes where id = '5'", 'declined.column', /person key may only be counted/],
  ['select id from athletes group by id', 'declined.column', /person key/],
  ['select height, count(*) from athletes group by 1', 'declined.column', /bins of at least 0.1/],
  ['select born, count(*) from athletes group by 1', 'declined.column', /bins of at least year/],
  ['select started, count(*) from sessions group by 1', 'declined.column', /bins of at least hour/],
  ['select weight, count(*) from athletes group by 1', 'declined.column', /only be grouped by in bins/],
  [
    'select sex, active, gold, count(*) from athletes group by 1, 2, 3',
    'declined.column',
    /3 dimensions; 2 are allowed/,
  ],
  [
    'select minutes from athletes a join sessions s using (id) group by id',
    'declined.column',
    /person key|GROUP BY/,
  ],
  [
    'select count(*) from athletes group by cube (sex, active), cube (sex, active), cube (sex, active)',
    'declined.too_large',
    /more than 16 sets/,
  ],
  [`select count(*) from athletes where ${'('.repeat(70)}true${')'.repeat(70)}`, 'approved', /^$/],
  [
    `select count(*) from athletes where ${'not '.repeat(70)}active`,
    'declined.too_large',
    /nested more than 64/,
  ],
  [`select ${'count(*), '.repeat(64)} count(*) from athletes`, 'declined.too_large', /more than 64 columns/],
  [
    `select count(*) from athletes ${Array.from({ length: 9 }, (_, index) => `join athletes a${index} using (id)`).join(' ')}`,
    'declined.too_large',
    /joins more than 9/,
  ],
])
