import fc from 'fast-check'

/* Questions with sub-queries over other people, over `athletes` (a row a person) and `sessions` (several). */

const oneOf = (...texts: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...texts)

/** Fills `$` in a text. */
function into(
  text: fc.Arbitrary<string>,
  ...fillings: readonly fc.Arbitrary<string>[]
): fc.Arbitrary<string> {
  return fc
    .tuple(text, ...fillings)
    .map(([template, ...parts]) => parts.reduce((all, part) => all.replace('$', () => part), template))
}

const own = oneOf(
  "sex = 'f'",
  'gold > 0',
  'height is not null',
  "born >= '1987-01-01'",
  "sport = 'golf'",
  'height < 1.9',
)
const filter = fc.oneof({ weight: 2, arbitrary: fc.constant('') }, into(fc.constant(' where $'), own))

/** A value of everybody, or of everybody who is as they are said to be. */
const ofAll = (depth: number): fc.Arbitrary<string> =>
  fc.oneof(
    into(
      oneOf('height > (select avg(height) from athletes$)', 'gold < (select avg(gold) from athletes$)'),
      filter,
    ),
    into(
      oneOf('gold <= 0.2 * (select count(*) from athletes$)', '(select n from (values (2)) as v(n)) < gold'),
      filter,
    ),
    into(
      oneOf(
        "height > (select avg(height) from athletes where sex = 'm') - (select stddev_samp(height) from athletes$)",
      ),
      filter,
    ),
    ...(depth > 0
      ? [
          into(
            oneOf(
              'height >= (select avg(height) from athletes where $)',
              'gold > (select avg(gold) from athletes where $)',
            ),
            about(depth - 1),
          ),
        ]
      : []),
  )

/** Groups of everybody. */
const ofGroups = (depth: number): fc.Arbitrary<string> =>
  fc.oneof(
    into(
      oneOf('sport in (select sport from athletes$)', 'sport in (select distinct sport from athletes$)'),
      filter,
    ),
    into(
      oneOf(
        'sport in (select sport from athletes$ group by sport having $)',
        '(sex, sport) in (select sex, sport from athletes$ group by sex, sport having $)',
      ),
      filter,
      oneOf('count(*) > 5', 'avg(height) > 1.7', 'count(height) >= 3 and avg(gold) < 2'),
    ),
    into(
      oneOf(
        'height > any (select avg(height) from athletes$ group by sex)',
        'height < any (select avg(height) from athletes$ group by sport)',
      ),
      filter,
    ),
    into(
      oneOf('sport = (select sport from athletes$ group by sport order by count(*) desc, sport limit 1)'),
      filter,
    ),
    ...(depth > 0
      ? [
          into(
            oneOf('sport in (select sport from athletes where $ group by sport having count(*) > 1)'),
            about(depth - 1),
          ),
        ]
      : []),
  )

const about = (depth: number): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 3, arbitrary: ofAll(depth) },
    { weight: 2, arbitrary: ofGroups(depth) },
    {
      weight: 1,
      arbitrary: into(oneOf('($ and $)', '($ or $)'), fc.oneof(own, ofAll(depth)), ofGroups(depth)),
    },
    {
      weight: 1,
      arbitrary: oneOf(
        'id in (select id from sessions where minutes > (select avg(minutes) from sessions))',
        "id not in (select id from sessions where minutes > (select avg(minutes) from sessions where place = 'gym'))",
      ),
    },
  )

const shown = oneOf(
  'select count(*) from athletes where $',
  'select sex, count(*), avg(height) from athletes where $ group by sex',
  'select sport, count(*) filter (where $) from athletes group by sport',
)

/** Sub-queries in conditions, in CTEs, beside people and joined to them, and values that are shown. */
export const arbitraryStaged: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: into(shown, about(1)) },
  {
    weight: 2,
    arbitrary: into(
      oneOf(
        'with m as (select avg(height) as h, count(*) n from athletes$) select count(*) from athletes a, m where a.height > m.h and m.n > 1',
        'select a.sex, count(*) from athletes a cross join (select avg(height) h, avg(gold) g from athletes$) m where a.height > m.h or a.gold > m.g group by a.sex',
        'with by_sport as (select sport, avg(height) w from athletes$ group by sport) select a.sport, count(*) from athletes a join by_sport b on a.sport = b.sport where a.height >= b.w group by a.sport',
        'select b.sex, b.n, count(*) from athletes a join (select sex, count(*) n from athletes$ group by sex) b using (sex) where a.gold >= 0 group by b.sex, b.n',
        'with b(s, w) as (select sport, avg(height) from athletes$ group by 1 having count(*) > 2) select count(*) from athletes a, b where a.sport = b.s and a.height > b.w',
        'with m as (select avg(height) as h from athletes$) select count(*) from athletes where height > (select h from m) and gold >= 0',
        'select sex, avg(height) * (select avg(height) from athletes$) as scaled from athletes group by sex having avg(height) > (select 0.9 * avg(height) from athletes)',
      ),
      filter,
    ),
  },
  {
    weight: 2,
    arbitrary: into(
      oneOf(
        'select count(*) from athletes a where height > (select avg(b.height) from athletes b where b.sport = a.sport and $)',
        'select sex, count(*) from athletes a where not (a.gold < (select avg(b.gold) - 0.5 from athletes b where a.sex = b.sex and $)) group by sex',
        'select count(*) filter (where a.height >= (select avg(b.height) from athletes b where b.sport = a.sport and b.sex = a.sex and $)) from athletes a',
        'select a.sport, count(*) from athletes a where a.gold > 0 or a.height * 2 > (select 2 * avg(height) from athletes b where b.sport = a.sport and $) group by a.sport',
        'with f as (select id, sport, sex, height, gold, born from athletes where gold >= 0) select count(*) from f a where a.height > (select avg(height) from f where sport = a.sport and $)',
      ),
      fc.oneof(own, about(0)),
    ),
  },
  {
    weight: 2,
    arbitrary: into(
      oneOf(
        'with chosen as (select id, sex, sport, height, gold from athletes where $) select sex, count(*) from chosen where $ group by sex',
        'select count(*) from (select id, sport, height, gold, sex from athletes where $) athletes where $',
      ),
      about(0),
      oneOf('gold >= 0', 'height > (select avg(height) from athletes)'),
    ),
  },
)
