/* oxlint-disable max-lines -- a table of questions, read as one page */
import type { ReasonCode } from '../../protocol/reason.ts'
import type { Scenario } from '../scenario.ts'

/**
 * A table: what acquirers ask of the studies, and what Hedgerow has to say to it with the grants of `study-kinds.ts`.
 *
 * A name with a letter after the number (`W2b`) is the same wish put so that it can be answered. No answer
 * here stands in the way of another: two questions over the same people come from two acquirers.
 */
export interface StudyAsk extends Scenario {
  /** The study that has to be there. */
  readonly study: string
  /** The only site that has it. */
  readonly sites: readonly [string]
  /** Rows of the answer, the remainder row too; absent when it is declined. */
  readonly rows?: number
  /** Why that is the right answer. */
  readonly why: string
}

/** What has to come back, and why. */
type Answer = Pick<StudyAsk, 'expected' | 'rows' | 'why'>

function approved(site: string, rows: number, why: string): Answer {
  return { expected: { by: 'sites', reasons: { [site]: ['approved'] } }, rows, why }
}

/** Any of the reasons is right: several apply, and which comes first is not what this is about. */
function declinedAt(site: string, reasons: readonly ReasonCode[], why: string): Answer {
  return { expected: { by: 'sites', reasons: { [site]: reasons } }, why }
}

/** No data set of the studies is offered with noise, so the network finds no offer to send the ask to. */
function withoutNoise(why: string): Answer {
  return { expected: { by: 'network', reason: 'declined.no_route' }, why }
}

const CONSENT = 'eu-gdpr:A6-1-a'
const EXPLICIT = 'eu-gdpr:A9-2-a'

const WATCHES = {
  study: 'wearables',
  sites: ['zurich'],
  acquirer: 'pulse-watches',
  legalBasis: CONSENT,
  mode: 'aggregate',
  releaseTo: 'FI',
  purpose: 'dpv:ImproveExistingProductsAndServices',
} as const
const INSURER = {
  study: 'lifesnaps',
  sites: ['zurich'],
  acquirer: 'steady-health',
  legalBasis: EXPLICIT,
  mode: 'aggregate',
  releaseTo: 'DE',
  purpose: 'dpv:PersonalisedBenefits',
} as const
const PUBLISHER = {
  study: 'gaming',
  sites: ['galway'],
  acquirer: 'lantern-games',
  legalBasis: CONSENT,
  mode: 'aggregate',
  releaseTo: 'SE',
  purpose: 'dpv:ServiceUsageAnalytics',
} as const

/** Too few people for what is asked: seen before the run or after it. */
const TOO_FEW = ['declined.nobody_eligible', 'declined.group_too_small'] as const

/** The asks. */
export const STUDY_ASKS: readonly StudyAsk[] = [
  {
    ...WATCHES,
    name: 'W1',
    wish: 'When do wearers move, to plan how the battery is saved',
    offer: 'hourly_activity',
    sql: `SELECT extract(hour FROM activity_hour)::int AS hour_of_day,
       count(DISTINCT person_id)             AS persons,
       round(avg(step_total), 1)             AS mean_steps,
       round(avg(calories_kcal), 1)          AS mean_kcal
FROM hourly_activity
GROUP BY 1
ORDER BY 1`,
    ...declinedAt(
      'zurich',
      ['declined.differencing', 'declined.group_too_small'],
      'at night 4 to 12 of the 33 take no step at all: who gives nothing to an average are too few',
    ),
  },
  {
    ...WATCHES,
    name: 'W1a',
    wish: 'When do wearers use energy, to plan how the battery is saved',
    offer: 'hourly_activity',
    sql: `SELECT extract(hour FROM activity_hour)::int AS hour_of_day,
       count(DISTINCT person_id)             AS persons,
       round(avg(calories_kcal), 1)          AS mean_kcal
FROM hourly_activity
GROUP BY 1
ORDER BY 1`,
    ...approved('zurich', 24, '33 people stand behind each hour, and everybody uses energy in each'),
  },
  {
    ...WATCHES,
    name: 'W5',
    wish: 'The support case of one wearer, picked out by the key of the person',
    purpose: 'dpv:CommunicationForCustomerCare',
    mode: 'rows',
    offer: 'minute_steps',
    sql: `SELECT m.activity_minute, m.steps
FROM minute_steps m
WHERE m.person_id = 1
  AND m.activity_minute >= TIMESTAMP '2016-04-20 00:00'
  AND m.activity_minute <  TIMESTAMP '2016-04-21 00:00'
ORDER BY m.activity_minute`,
    ...declinedAt(
      'zurich',
      ['declined.column'],
      'the key of a person is never compared: who is in the answer is for the grants to say',
    ),
  },
  {
    ...WATCHES,
    name: 'W5a',
    wish: 'The support case of one wearer: whoever said yes to it for today',
    purpose: 'dpv:CommunicationForCustomerCare',
    mode: 'rows',
    offer: 'minute_steps',
    sql: `SELECT m.activity_minute, m.steps
FROM minute_steps m
WHERE m.activity_minute >= TIMESTAMP '2016-04-20 00:00'
  AND m.activity_minute <  TIMESTAMP '2016-04-21 00:00'
ORDER BY m.activity_minute`,
    ...approved('zurich', 1_440, 'one wearer granted support their rows for a day'),
  },
  {
    ...WATCHES,
    name: 'W5b',
    wish: 'The same rows for product development, which nobody granted',
    mode: 'rows',
    offer: 'minute_steps',
    sql: `SELECT m.activity_minute, m.steps
FROM minute_steps m
WHERE m.activity_minute >= TIMESTAMP '2016-04-20 00:00'
  AND m.activity_minute <  TIMESTAMP '2016-04-21 00:00'
ORDER BY m.activity_minute`,
    ...declinedAt('zurich', ['declined.nobody_eligible'], 'nobody granted rows for this'),
  },
  {
    ...INSURER,
    name: 'W2',
    wish: 'Fitness by age band and sex, for a bonus tariff',
    offer: 'lifesnaps_persons',
    sql: `WITH per_person AS (
  SELECT person_id,
         avg(resting_heart_rate_bpm) AS rhr,
         avg(vo2max_ml_kg_min)       AS vo2max,
         avg(steps)                  AS steps
  FROM lifesnaps_daily
  GROUP BY person_id
)
SELECT p.age_band, p.gender,
       count(*)                      AS persons,
       round(avg(t.rhr)::numeric, 1)    AS mean_resting_hr,
       round(avg(t.vo2max)::numeric, 1) AS mean_vo2max,
       round(avg(t.steps))              AS mean_steps
FROM lifesnaps_persons p
JOIN per_person t USING (person_id)
WHERE p.age_band IS NOT NULL AND t.rhr IS NOT NULL
GROUP BY p.age_band, p.gender
HAVING count(*) >= 10
ORDER BY 1, 2`,
    ...declinedAt(
      'zurich',
      TOO_FEW,
      'heart and lungs are health: an exact answer needs 50 people behind each row, and there are 12 to 22',
    ),
  },
  {
    ...INSURER,
    name: 'W2a',
    acquirer: 'rowan-health',
    wish: 'The mean heart rate and fitness of all, to set a bonus tariff beside',
    offer: 'lifesnaps_daily',
    sql: `WITH per_person AS (
  SELECT person_id,
         avg(resting_heart_rate_bpm) AS rhr,
         avg(vo2max_ml_kg_min)       AS vo2max
  FROM lifesnaps_daily
  GROUP BY person_id
)
SELECT count(*)              AS persons,
       round(avg(t.rhr), 1)    AS mean_resting_hr,
       round(avg(t.vo2max), 1) AS mean_vo2max
FROM per_person t`,
    ...approved('zurich', 1, '68 people stand behind the row, 50 are needed'),
  },
  {
    ...INSURER,
    name: 'W2b',
    wish: 'How much people walk by age band and sex, for a bonus tariff',
    legalBasis: CONSENT,
    offer: 'lifesnaps_persons',
    sql: `WITH per_person AS (
  SELECT person_id, avg(steps) AS steps
  FROM lifesnaps_daily
  GROUP BY person_id
)
SELECT p.age_band, p.gender,
       count(*)            AS persons,
       round(avg(t.steps)) AS mean_steps
FROM lifesnaps_persons p
JOIN per_person t USING (person_id)
WHERE p.age_band IS NOT NULL
GROUP BY p.age_band, p.gender
HAVING count(*) >= 10
ORDER BY 1, 2`,
    ...approved('zurich', 4, 'groups of 15, 22, 12 and 19 people, and steps are not health'),
  },
  {
    ...INSURER,
    name: 'W3',
    study: 'wearables',
    wish: 'Weight against activity',
    offer: 'weight_log',
    sql: `SELECT CASE WHEN w.bmi >= 30 THEN 'obese' WHEN w.bmi >= 25 THEN 'overweight' ELSE 'normal' END AS bmi_band,
       w.is_manual_report,
       count(DISTINCT w.person_id)  AS persons,
       avg(d.total_steps)           AS mean_steps,
       avg(d.sedentary_minutes)     AS mean_sedentary_minutes
FROM weight_log w
JOIN daily_activity d
  ON d.person_id = w.person_id AND d.activity_date = w.logged_at::date
GROUP BY 1, 2`,
    ...declinedAt(
      'zurich',
      ['declined.sql_not_supported'],
      'the join repeats a day for each weighing of it; and the whole set has 8 people, in groups of 1 to 3',
    ),
  },
  {
    ...INSURER,
    name: 'W4',
    wish: 'How sleep and tension go together',
    purpose: 'dpv:ImproveHealthcare',
    mode: 'private',
    offer: 'lifesnaps_daily',
    sql: `SELECT p.gender,
       CASE WHEN d.minutes_asleep < 360 THEN 'under 6 h' ELSE '6 h or more' END AS sleep,
       count(DISTINCT d.person_id)                          AS persons,
       avg(CASE WHEN d.mood_tense THEN 1.0 ELSE 0.0 END)    AS share_tense
FROM lifesnaps_daily d
JOIN lifesnaps_persons p USING (person_id)
WHERE d.mood_tense IS NOT NULL AND d.minutes_asleep IS NOT NULL
GROUP BY 1, 2
ORDER BY 1, 2`,
    ...withoutNoise('mood and sleep only with noise, and it is not offered so'),
  },
  {
    ...PUBLISHER,
    name: 'G1',
    wish: 'Median play time by game and age band',
    offer: 'player_waves',
    sql: `SELECT w.game,
       CASE WHEN p.age_years < 25 THEN '18-24' WHEN p.age_years < 35 THEN '25-34'
            WHEN p.age_years < 50 THEN '35-49' ELSE '50+' END              AS age_band,
       count(DISTINCT p.player_id)                                        AS players,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY w.hours_logged)        AS median_hours
FROM player_waves w
JOIN players p USING (player_id)
WHERE w.wave = 1 AND p.age_years IS NOT NULL
GROUP BY 1, 2
HAVING count(DISTINCT p.player_id) >= 20
ORDER BY 1, 2`,
    ...declinedAt(
      'galway',
      ['declined.sql_not_supported'],
      'a median is the value of one person; with noise it can be given, and it is not offered so',
    ),
  },
  {
    ...PUBLISHER,
    name: 'G1a',
    wish: 'Mean play time by game and age band, of those who played',
    offer: 'player_waves',
    sql: `SELECT w.game,
       CASE WHEN p.age_years < 25 THEN '18-24' WHEN p.age_years < 35 THEN '25-34'
            WHEN p.age_years < 50 THEN '35-49' ELSE '50+' END              AS age_band,
       count(DISTINCT p.player_id)                                        AS players,
       round(avg(w.hours_logged), 2)                                      AS mean_hours
FROM player_waves w
JOIN players p USING (player_id)
WHERE w.wave = 1 AND p.age_years IS NOT NULL AND w.hours_logged > 0
GROUP BY 1, 2
HAVING count(DISTINCT p.player_id) >= 20
ORDER BY 1, 2`,
    ...approved('galway', 28, 'more than 20 players stand behind each row'),
  },
  {
    ...PUBLISHER,
    name: 'G2',
    wish: 'Who comes back in the second week',
    offer: 'play_sessions',
    sql: `WITH first_seen AS (
  SELECT player_id, game, min(session_start) AS t0
  FROM play_sessions
  GROUP BY player_id, game
)
SELECT f.game,
       count(*) AS players,
       count(*) FILTER (WHERE EXISTS (
         SELECT 1 FROM play_sessions s
         WHERE s.player_id = f.player_id
           AND s.session_start >= f.t0 + INTERVAL '7 days'
           AND s.session_start <  f.t0 + INTERVAL '14 days')) AS back_in_week_2
FROM first_seen f
GROUP BY f.game
ORDER BY f.game`,
    ...approved('galway', 3, 'those who came back, and those who did not, are hundreds for each game'),
  },
  {
    ...PUBLISHER,
    name: 'G2a',
    wish: 'How many play each game, and how often',
    offer: 'play_sessions',
    sql: `SELECT game, count(DISTINCT player_id) AS players, count(*) AS sessions
FROM play_sessions
GROUP BY game
ORDER BY game`,
    ...approved('galway', 3, 'hundreds of players stand behind each game'),
  },
  {
    ...PUBLISHER,
    name: 'G3',
    wish: 'Life satisfaction by game, gender and year of age',
    offer: 'players',
    sql: `SELECT p.game, p.gender, p.age_years,
       count(*)                 AS players,
       avg(w.life_satisfaction) AS mean_life_satisfaction
FROM players p
JOIN player_waves w ON w.player_id = p.player_id AND w.wave = 1
WHERE w.life_satisfaction IS NOT NULL
GROUP BY p.game, p.gender, p.age_years
ORDER BY players`,
    ...declinedAt(
      'galway',
      ['declined.column'],
      'three dimensions and single years of age are finer than the terms allow',
    ),
  },
  {
    ...PUBLISHER,
    name: 'G4',
    wish: 'Well-being by hours played',
    legalBasis: EXPLICIT,
    purpose: 'dpv:CommercialResearch',
    mode: 'private',
    offer: 'player_waves',
    sql: `SELECT width_bucket(w.hours_logged, 0, 60, 6) AS hours_bucket,
       count(DISTINCT w.player_id)            AS players,
       avg(w.affect_balance)                  AS mean_affect_balance
FROM player_waves w
WHERE w.wave = 2 AND w.affect_balance IS NOT NULL AND w.hours_logged IS NOT NULL
GROUP BY 1
ORDER BY 1`,
    ...withoutNoise('well-being only with noise, and it is not offered so'),
  },
  {
    ...PUBLISHER,
    name: 'G4a',
    wish: 'The same without noise',
    legalBasis: EXPLICIT,
    purpose: 'dpv:CommercialResearch',
    offer: 'player_waves',
    sql: `SELECT width_bucket(w.hours_logged, 0, 60, 6) AS hours_bucket,
       count(DISTINCT w.player_id)            AS players,
       avg(w.affect_balance)                  AS mean_affect_balance
FROM player_waves w
WHERE w.wave = 2 AND w.affect_balance IS NOT NULL AND w.hours_logged IS NOT NULL
GROUP BY 1
ORDER BY 1`,
    ...declinedAt(
      'galway',
      ['declined.nobody_eligible'],
      'players granted their well-being to researchers only',
    ),
  },
  {
    ...PUBLISHER,
    name: 'G5',
    wish: 'Sessions with a broken length, for a bug hunt',
    purpose: 'dpv:IncreaseServiceRobustness',
    mode: 'rows',
    offer: 'outriders_sessions',
    sql: `SELECT player_id, platform, session_start, session_end, game_time_ms, session_time_ms
FROM outriders_sessions
WHERE session_time_ms < 0 OR session_time_ms > 86400000
ORDER BY session_start
LIMIT 500`,
    ...approved('galway', 500, 'of the players who granted rows for it, under pseudonyms'),
  },
  {
    ...INSURER,
    name: 'H4',
    study: 'hr',
    sites: ['dresden'],
    wish: 'Illness hours by age',
    legalBasis: 'eu-gdpr:A9-2-b',
    purpose: 'dpv:OrganisationRiskManagement',
    mode: 'private',
    offer: 'absences',
    sql: `SELECT CASE WHEN reason_code BETWEEN 1 AND 21 THEN 'illness (ICD)' ELSE 'other' END AS reason,
       (age_years / 10) * 10        AS age_from,
       count(DISTINCT worker_id)    AS workers,
       sum(absence_hours)           AS hours
FROM absences
GROUP BY 1, 2
ORDER BY 1, 2`,
    ...withoutNoise('illness only with noise, and it is not offered so'),
  },
  {
    ...INSURER,
    name: 'H4a',
    study: 'hr',
    sites: ['dresden'],
    wish: 'The same without noise',
    legalBasis: 'eu-gdpr:A9-2-b',
    purpose: 'dpv:OrganisationRiskManagement',
    offer: 'absences',
    sql: `SELECT CASE WHEN reason_code BETWEEN 1 AND 21 THEN 'illness (ICD)' ELSE 'other' END AS reason,
       (age_years / 10) * 10        AS age_from,
       count(DISTINCT worker_id)    AS workers,
       sum(absence_hours)           AS hours
FROM absences
GROUP BY 1, 2
ORDER BY 1, 2`,
    ...declinedAt('dresden', TOO_FEW, 'illness needs 50 people and the firm has 36'),
  },
  {
    ...INSURER,
    name: 'H4b',
    study: 'hr',
    sites: ['dresden'],
    wish: 'How many absences there are, and how loaded the work is then',
    legalBasis: 'eu-gdpr:A6-1-f',
    purpose: 'dpv:OrganisationRiskManagement',
    offer: 'absences',
    sql: `SELECT count(DISTINCT worker_id)           AS workers,
       count(*)                            AS absences,
       round(avg(workload_avg_per_day), 1) AS mean_workload
FROM absences`,
    ...approved('dresden', 1, '36 workers stand behind the row, and nothing in it is health'),
  },
]
