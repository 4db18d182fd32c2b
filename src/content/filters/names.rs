//! What months and days are called, and how a day is written, in the languages that mails are written in.
//!
//! The one idea: a date that is text (a deadline, a delivery estimate) is written in the language of its variant, and
//! on an export by the very same words. Deliberately not here: merge tags that print a date field. Klaviyo's and
//! HubSpot's templates print those with English names, and the preview says what they say.
//!
//! Source of names and patterns: Unicode CLDR, as in Babel 2.19, `months/format`, `days/format` (Finnish:
//! `days/stand-alone`, as its patterns ask for), the full date without its year, `MMMMEd`, `Ed`; English days are
//! written as everywhere in this program. Source of the words for working days: our own.

use jiff::civil::Date;

use crate::base::Weekday;

/// A language.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Names {
    /// Its tag: `de`.
    pub language: &'static str,
    months: [&'static str; 12],
    short_months: [&'static str; 12],
    /// From Monday on.
    days: [&'static str; 7],
    short_days: [&'static str; 7],
    /// A day without its year, for [`super::format_date_in`]: `Friday, 27 November`.
    pub day: &'static str,
    /// The same, short: `Fri 27 November`.
    pub short_day: &'static str,
    /// The same where the month follows: `Fri 27`.
    pub near_day: &'static str,
    /// A time of day: `18:00`.
    pub time: &'static str,
    /// Working days, `{n}` for how many.
    working_days: &'static str,
}

impl Names {
    /// Those of a language tag (`de`, `pt-BR`, `no`); English where there are none of it.
    pub fn of(tag: &str) -> &'static Self {
        let primary = tag.split(['-', '_']).next().unwrap_or(tag).to_ascii_lowercase();
        let primary = if primary == "no" { "nb" } else { &primary };
        LANGUAGES.iter().find(|names| names.language == primary).unwrap_or(&ENGLISH)
    }

    /// Whether they are what every platform prints by itself.
    pub fn is_english(&self) -> bool {
        self.language == ENGLISH.language
    }

    /// Whether a day before a date is in the form that it has by itself; in all other languages both forms are one.
    pub fn days_stand_alone(&self) -> bool {
        self.language == "fi"
    }

    /// `, 'de'` as a further argument of a filter; nothing for English.
    pub fn argument(&self) -> String {
        if self.is_english() { String::new() } else { format!(", '{}'", self.language) }
    }

    /// Name of a month, 1..=12; of the nearest one outside.
    pub fn month(&self, number: i8, is_short: bool) -> &'static str {
        let names = if is_short { &self.short_months } else { &self.months };
        names[usize::from(number.unsigned_abs().clamp(1, 12)) - 1]
    }

    /// Name of the weekday of a date.
    pub fn weekday(&self, date: Date, is_short: bool) -> &'static str {
        self.weekday_after_monday(Weekday::of(date) as usize, is_short)
    }

    /// Name of a weekday, so many days after a Monday.
    pub fn weekday_after_monday(&self, days: usize, is_short: bool) -> &'static str {
        let names = if is_short { &self.short_days } else { &self.days };
        names[days % 7]
    }

    /// The time at which a day ends: `24:00`.
    pub fn midnight(&self) -> String {
        self.time.replace("%-H", "24").replace("%H", "24").replace("%M", "00")
    }

    /// So many working days from now, in words.
    pub fn working_days(&self, days: i64) -> String {
        self.working_days.replace("{n}", &days.to_string())
    }
}

const ENGLISH: Names = Names {
    language: "en",
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    short_months: ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    days: ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    short_days: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    day: "%A, %-d %B",
    short_day: "%a %-d %B",
    near_day: "%a %-d",
    time: "%H:%M",
    working_days: "{n} working days from now",
};

/// All others.
const LANGUAGES: [Names; 12] = [
    Names {
        language: "de",
        months: [
            "Januar",
            "Februar",
            "März",
            "April",
            "Mai",
            "Juni",
            "Juli",
            "August",
            "September",
            "Oktober",
            "November",
            "Dezember",
        ],
        short_months: ["Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."],
        days: ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"],
        short_days: ["Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So."],
        day: "%A, %-d. %B",
        short_day: "%a, %-d. %B",
        near_day: "%a, %-d.",
        time: "%H:%M",
        working_days: "{n} Werktagen ab heute",
    },
    Names {
        language: "fr",
        months: [
            "janvier",
            "février",
            "mars",
            "avril",
            "mai",
            "juin",
            "juillet",
            "août",
            "septembre",
            "octobre",
            "novembre",
            "décembre",
        ],
        short_months: [
            "janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.",
        ],
        days: ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
        short_days: ["lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."],
        day: "%A %-d %B",
        short_day: "%a %-d %B",
        near_day: "%a %-d",
        time: "%H:%M",
        working_days: "{n} jours ouvrés à compter d’aujourd’hui",
    },
    Names {
        language: "es",
        months: [
            "enero",
            "febrero",
            "marzo",
            "abril",
            "mayo",
            "junio",
            "julio",
            "agosto",
            "septiembre",
            "octubre",
            "noviembre",
            "diciembre",
        ],
        short_months: ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"],
        days: ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"],
        short_days: ["lun", "mar", "mié", "jue", "vie", "sáb", "dom"],
        day: "%A, %-d de %B",
        short_day: "%a, %-d de %B",
        near_day: "%a %-d",
        time: "%H:%M",
        working_days: "{n} días laborables a partir de hoy",
    },
    Names {
        language: "it",
        months: [
            "gennaio",
            "febbraio",
            "marzo",
            "aprile",
            "maggio",
            "giugno",
            "luglio",
            "agosto",
            "settembre",
            "ottobre",
            "novembre",
            "dicembre",
        ],
        short_months: ["gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic"],
        days: ["lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica"],
        short_days: ["lun", "mar", "mer", "gio", "ven", "sab", "dom"],
        day: "%A %-d %B",
        short_day: "%a %-d %B",
        near_day: "%a %-d",
        time: "%H:%M",
        working_days: "{n} giorni lavorativi da oggi",
    },
    Names {
        language: "nl",
        months: [
            "januari",
            "februari",
            "maart",
            "april",
            "mei",
            "juni",
            "juli",
            "augustus",
            "september",
            "oktober",
            "november",
            "december",
        ],
        short_months: ["jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"],
        days: ["maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"],
        short_days: ["ma", "di", "wo", "do", "vr", "za", "zo"],
        day: "%A %-d %B",
        short_day: "%a %-d %B",
        near_day: "%a %-d",
        time: "%H:%M",
        working_days: "{n} werkdagen vanaf vandaag",
    },
    Names {
        language: "pt",
        months: [
            "janeiro",
            "fevereiro",
            "março",
            "abril",
            "maio",
            "junho",
            "julho",
            "agosto",
            "setembro",
            "outubro",
            "novembro",
            "dezembro",
        ],
        short_months: ["jan.", "fev.", "mar.", "abr.", "mai.", "jun.", "jul.", "ago.", "set.", "out.", "nov.", "dez."],
        days: ["segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado", "domingo"],
        short_days: ["seg.", "ter.", "qua.", "qui.", "sex.", "sáb.", "dom."],
        day: "%A, %-d de %B",
        short_day: "%a, %-d de %B",
        near_day: "%a, %-d",
        time: "%H:%M",
        working_days: "{n} dias úteis a partir de hoje",
    },
    Names {
        language: "pl",
        months: [
            "stycznia",
            "lutego",
            "marca",
            "kwietnia",
            "maja",
            "czerwca",
            "lipca",
            "sierpnia",
            "września",
            "października",
            "listopada",
            "grudnia",
        ],
        short_months: ["sty", "lut", "mar", "kwi", "maj", "cze", "lip", "sie", "wrz", "paź", "lis", "gru"],
        days: ["poniedziałek", "wtorek", "środa", "czwartek", "piątek", "sobota", "niedziela"],
        short_days: ["pon.", "wt.", "śr.", "czw.", "pt.", "sob.", "niedz."],
        day: "%A, %-d %B",
        short_day: "%a, %-d %B",
        near_day: "%a, %-d",
        time: "%H:%M",
        working_days: "{n} dni roboczych od dziś",
    },
    Names {
        language: "sv",
        months: [
            "januari",
            "februari",
            "mars",
            "april",
            "maj",
            "juni",
            "juli",
            "augusti",
            "september",
            "oktober",
            "november",
            "december",
        ],
        short_months: ["jan.", "feb.", "mars", "apr.", "maj", "juni", "juli", "aug.", "sep.", "okt.", "nov.", "dec."],
        days: ["måndag", "tisdag", "onsdag", "torsdag", "fredag", "lördag", "söndag"],
        short_days: ["mån", "tis", "ons", "tors", "fre", "lör", "sön"],
        day: "%A %-d %B",
        short_day: "%a %-d %B",
        near_day: "%a %-d",
        time: "%H:%M",
        working_days: "{n} arbetsdagar från i dag",
    },
    Names {
        language: "da",
        months: [
            "januar",
            "februar",
            "marts",
            "april",
            "maj",
            "juni",
            "juli",
            "august",
            "september",
            "oktober",
            "november",
            "december",
        ],
        short_months: ["jan.", "feb.", "mar.", "apr.", "maj", "jun.", "jul.", "aug.", "sep.", "okt.", "nov.", "dec."],
        days: ["mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag", "søndag"],
        short_days: ["man.", "tirs.", "ons.", "tors.", "fre.", "lør.", "søn."],
        day: "%A den %-d. %B",
        short_day: "%a %-d. %B",
        near_day: "%a den %-d.",
        time: "%H.%M",
        working_days: "{n} hverdage fra i dag",
    },
    Names {
        language: "nb",
        months: [
            "januar",
            "februar",
            "mars",
            "april",
            "mai",
            "juni",
            "juli",
            "august",
            "september",
            "oktober",
            "november",
            "desember",
        ],
        short_months: ["jan.", "feb.", "mars", "apr.", "mai", "juni", "juli", "aug.", "sep.", "okt.", "nov.", "des."],
        days: ["mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag", "søndag"],
        short_days: ["man.", "tir.", "ons.", "tor.", "fre.", "lør.", "søn."],
        day: "%A %-d. %B",
        short_day: "%a %-d. %B",
        near_day: "%a %-d.",
        time: "%H:%M",
        working_days: "{n} virkedager fra i dag",
    },
    Names {
        language: "fi",
        months: [
            "tammikuuta",
            "helmikuuta",
            "maaliskuuta",
            "huhtikuuta",
            "toukokuuta",
            "kesäkuuta",
            "heinäkuuta",
            "elokuuta",
            "syyskuuta",
            "lokakuuta",
            "marraskuuta",
            "joulukuuta",
        ],
        short_months: [
            "tammi", "helmi", "maalis", "huhti", "touko", "kesä", "heinä", "elo", "syys", "loka", "marras", "joulu",
        ],
        days: ["maanantai", "tiistai", "keskiviikko", "torstai", "perjantai", "lauantai", "sunnuntai"],
        short_days: ["ma", "ti", "ke", "to", "pe", "la", "su"],
        day: "%A %-d. %B",
        short_day: "%a %-d. %B",
        near_day: "%a %-d.",
        time: "%-H.%M",
        working_days: "{n} arkipäivää tästä päivästä",
    },
    Names {
        language: "cs",
        months: [
            "ledna",
            "února",
            "března",
            "dubna",
            "května",
            "června",
            "července",
            "srpna",
            "září",
            "října",
            "listopadu",
            "prosince",
        ],
        short_months: ["led", "úno", "bře", "dub", "kvě", "čvn", "čvc", "srp", "zář", "říj", "lis", "pro"],
        days: ["pondělí", "úterý", "středa", "čtvrtek", "pátek", "sobota", "neděle"],
        short_days: ["po", "út", "st", "čt", "pá", "so", "ne"],
        day: "%A %-d. %B",
        short_day: "%a %-d. %B",
        near_day: "%a %-d.",
        time: "%-H:%M",
        working_days: "{n} pracovních dnů ode dneška",
    },
];

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::content::filters::format_date_in;

    #[test]
    fn days_are_written_as_people_write_them() {
        let at = date(2026, 11, 27).at(8, 5, 0, 0);
        for (tag, long, short) in [
            ("en-GB", "Friday, 27 November 08:05", "Fri 27 November"),
            ("de-AT", "Freitag, 27. November 08:05", "Fr., 27. November"),
            ("fr", "vendredi 27 novembre 08:05", "ven. 27 novembre"),
            ("es", "viernes, 27 de noviembre 08:05", "vie, 27 de noviembre"),
            ("it", "venerdì 27 novembre 08:05", "ven 27 novembre"),
            ("nl", "vrijdag 27 november 08:05", "vr 27 november"),
            ("pt_BR", "sexta-feira, 27 de novembro 08:05", "sex., 27 de novembro"),
            ("PL", "piątek, 27 listopada 08:05", "pt., 27 listopada"),
            ("sv", "fredag 27 november 08:05", "fre 27 november"),
            ("da", "fredag den 27. november 08.05", "fre. 27. november"),
            ("no", "fredag 27. november 08:05", "fre. 27. november"),
            ("fi", "perjantai 27. marraskuuta 8.05", "pe 27. marraskuuta"),
            ("cs", "pátek 27. listopadu 8:05", "pá 27. listopadu"),
            ("ja", "Friday, 27 November 08:05", "Fri 27 November"),
            ("", "Friday, 27 November 08:05", "Fri 27 November"),
        ] {
            let names = Names::of(tag);
            let pattern = format!("{} {}", names.day, names.time);
            assert_eq!(format_date_in(at, &pattern, names), long, "{tag}");
            assert_eq!(format_date_in(at, names.short_day, names), short, "{tag}");
        }
        assert_eq!((Names::of("fi").midnight(), Names::of("de").midnight()), ("24.00".into(), "24:00".into()));
        assert_eq!(Names::of("fr").working_days(4), "4 jours ouvrés à compter d’aujourd’hui");
    }

    /// Names stand inside quotes of filters and between tags.
    #[test]
    fn names_are_plain_words() {
        for names in LANGUAGES.iter().chain([&ENGLISH]) {
            let all = names.months.iter().chain(&names.short_months).chain(&names.days).chain(&names.short_days);
            for name in all.chain([&names.day, &names.short_day, &names.near_day, &names.time, &names.working_days]) {
                assert!(!name.is_empty() && !name.contains(['\'', '"', '<', '&']), "{} {name}", names.language);
            }
        }
    }
}
