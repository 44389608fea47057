/** Patterns of `to_char` for days and times. */
export const DATE_PATTERNS = [
  'YYYY-MM',
  'DD.MM.YYYY',
  'IYYY-IW',
  'ID',
  'DDD',
  'HH24:MI:SS',
  'YYYY_MM DD',
  'Mon YY',
  'FMMonth, Dy HH12:MI AM',
  'FMDay',
  'YYYYMMDD HH24MI',
  'Month YYYY',
  'DAY, DD',
  'dy DD mon',
  'MON-YY',
  'YYYY-MM-DD HH24:00',
  'HH PM',
] as const

/** The same for numbers. */
export const NUMBER_PATTERNS = [
  '999',
  'FM999',
  '990.0',
  'FM990.09',
  'FM9.99',
  '999.9',
  'FM9,999,990.00',
  '0,000',
  '999,999,999',
  'FM000.000 %',
  '9990.000000" kg"',
  'FM9.9%',
] as const
