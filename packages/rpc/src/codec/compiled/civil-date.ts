// Years begin in March here, so that the leap day is the last one of a year; an era is the 400 years after which
// the calendar repeats. All of it counts from 1970-01-01.
const daysOfEra = 146_097;
const daysBeforeEpoch = 719_468;

/** Days from 1970-01-01 to a day of the Gregorian calendar. */
export function daysFromDate(year: number, month: number, day: number): number {
  const years = month > 2 ? year : year - 1;
  const era = Math.floor(years / 400);
  const yearOfEra = years - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * daysOfEra + dayOfEra - daysBeforeEpoch;
}

/** How many days a month has. */
export function daysOfMonth(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

/** The date, as `2026-01-31`, that is so many days after 1970-01-01; for the years 0 to 9999. */
export function dateText(days: number): string {
  const day = days + daysBeforeEpoch;
  const era = Math.floor(day / daysOfEra);
  const dayOfEra = day - era * daysOfEra;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return (
    twoDigits(Math.floor(year / 100)) +
    twoDigits(year % 100) +
    "-" +
    twoDigits(month) +
    "-" +
    twoDigits(dayOfMonth)
  );
}

const pairs = Array.from({ length: 100 }, (_, number) => String(number).padStart(2, "0"));

/** A number from 0 to 99 with two digits. */
export function twoDigits(number: number): string {
  return pairs[number] as string;
}
