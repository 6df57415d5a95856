//! Who was connected when, from where, through what: the month as it was lived, before anybody reports it.
//!
//! Each person's day has dice of its own, so that a day comes out the same however the month is cut.

use std::net::IpAddr;

use super::{
    super::{Vendor, people::Dice},
    DAY_S, HOUR_S, UTC_OFFSET_S,
    company::{ALICE, Person, staff},
    networks::{
        HOTEL_BASEL, HOTEL_CALIFORNIA, HOTEL_LONDON, MOBILE, MOBILE_CALIFORNIA, Network, OFFICE_STRASBOURG,
    },
};

const MINUTE_S: u64 = 60;
/// Home lines get another address of their network after so many days.
const LEASE_DAYS: u64 = 9;
/// Days of the month, the last one included: a few more than the thirty in which somebody is learned.
const DAYS: u64 = 34;

/// One stay in the VPN.
pub(super) struct Stay {
    pub(super) person: usize,
    pub(super) server: Vendor,
    pub(super) by_telephone: bool,
    pub(super) address: IpAddr,
    /// Seconds since 1970.
    pub(super) from_s: u64,
    pub(super) until_s: u64,
}

/// A journey of one person to one place.
struct Trip {
    person: usize,
    /// First working day there, counted from the Monday of the week of journeys.
    first_day: u64,
    days: u64,
    hotel: Network,
    mobile: Network,
    /// How far the clocks there are behind those at the company.
    behind_s: u64,
}

/// ASA has a client for every hotel; alice goes farthest. The names by number: alice, bob, kamal.
const TRIPS: [Trip; 3] = [
    Trip {
        person: ALICE,
        first_day: 1,
        days: 3,
        hotel: HOTEL_CALIFORNIA,
        mobile: MOBILE_CALIFORNIA,
        behind_s: 9 * HOUR_S,
    },
    Trip { person: 1, first_day: 2, days: 2, hotel: HOTEL_LONDON, mobile: MOBILE[1], behind_s: HOUR_S },
    Trip { person: 10, first_day: 0, days: 3, hotel: HOTEL_BASEL, mobile: MOBILE[1], behind_s: 0 },
];

/// The days that differ from all others.
pub(super) struct Calendar {
    seed: u64,
    /// The last day, in days since 1970 by the company's clocks.
    last: u64,
    /// The Monday of the week of journeys: the last one more than a week ago, so that they are over and everybody is
    /// seen at home afterwards.
    pub(super) monday: u64,
}

impl Calendar {
    pub(super) fn new(seed: u64, end_unix_s: u64) -> Calendar {
        let last = (end_unix_s + UTC_OFFSET_S) / DAY_S;
        let mut monday = last - weekday(last);
        while last - monday <= 7 {
            monday -= 7;
        }
        Calendar { seed, last, monday }
    }

    /// Everybody's stays, by when they begin.
    pub(super) fn stays(&self) -> Vec<Stay> {
        let staff = staff();
        let mut stays = Vec::new();
        for person in &staff {
            for day in self.last + 1 - DAYS..=self.last {
                let dice = Dice::new(self.seed, (person.number as u64) << 32 | day);
                Day { calendar: self, person, day, dice, stays: &mut stays }.live();
            }
        }
        stays.sort_by_key(|stay| stay.from_s);
        stays
    }

    /// The Friday two weeks before the week of journeys is a holiday.
    fn is_holiday(&self, day: u64) -> bool {
        day == self.monday - 10
    }

    /// One in five takes four days off.
    fn is_on_leave(&self, person: &Person, day: u64) -> bool {
        let first = self.last - (person.number as u64 * 11) % DAYS;
        person.number % 5 == 3 && (first..first + 4).contains(&day)
    }
}

/// Monday is 0. The first day of 1970 was a Thursday.
fn weekday(day: u64) -> u64 {
    (day + 3) % 7
}

/// One person's day.
struct Day<'a> {
    calendar: &'a Calendar,
    person: &'a Person,
    day: u64,
    dice: Dice,
    stays: &'a mut Vec<Stay>,
}

impl Day<'_> {
    fn live(mut self) {
        if self.calendar.is_holiday(self.day)
            || self.calendar.is_on_leave(self.person, self.day)
            || self.travels()
        {
            return;
        }
        if self.person.number == ALICE && self.day == self.calendar.monday - 5 {
            return self.at_the_branch();
        }
        match weekday(self.day) {
            weekday if weekday > 4 => self.weekend(),
            weekday if self.person.home_days[weekday as usize] => self.at_home(),
            _ => self.at_the_office(),
        }
        if self.person.number == ALICE {
            self.habits_of_alice();
        }
    }

    /// Whether the person is on a journey; the days before and behind it go by on the way.
    fn travels(&mut self) -> bool {
        let of_person = |trip: &&Trip| trip.person == self.person.number;
        let Some(trip) = TRIPS.iter().find(of_person) else { return false };
        let first = self.calendar.monday + trip.first_day;
        if !(first - 1..=first + trip.days).contains(&self.day) {
            return false;
        }
        if (first..first + trip.days).contains(&self.day) {
            // The hotel keeps the address for all of the stay.
            let hotel = trip.hotel.address(&mut Dice::new(self.calendar.seed, first));
            let morning = 8 * HOUR_S + self.minutes(40) + trip.behind_s;
            let length = 7 * HOUR_S + self.minutes(120);
            self.stay(Vendor::Asa, false, hotel, morning, length);
            if self.day == first + 1 {
                let mobile = trip.mobile.address(&mut self.dice);
                let evening = 18 * HOUR_S + self.minutes(60) + trip.behind_s;
                let length = (20 + self.dice.below(20)) * MINUTE_S;
                self.stay(Vendor::Asa, self.person.telephone.is_some(), mobile, evening, length);
            }
        }
        true
    }

    fn at_home(&mut self) {
        let home = self.home();
        let server = match self.person.other_server {
            Some(other) if self.dice.below(100) < 30 => other,
            _ => self.person.server,
        };
        let begin = self.person.begins_s + self.minutes(20);
        let end = begin + 8 * HOUR_S + self.minutes(90);
        // A little more than half disconnect for lunch.
        if self.dice.below(100) < 55 {
            let lunch = 12 * HOUR_S + self.minutes(20);
            let back = 12 * HOUR_S + (40 + self.dice.below(25)) * MINUTE_S;
            self.stay(server, false, home, begin, lunch - begin);
            self.stay(server, false, home, back, end - back);
        } else {
            self.stay(server, false, home, begin, end - begin);
        }
        if self.dice.below(100) < 12 {
            let length = (20 + self.dice.below(55)) * MINUTE_S;
            let evening = 20 * HOUR_S + self.minutes(60);
            self.stay(server, false, home, evening, length);
        }
    }

    fn at_the_office(&mut self) {
        match self.person.branch {
            Some(branch) if self.dice.below(100) < 60 => {
                let begin = self.person.begins_s + self.minutes(20);
                let length = 8 * HOUR_S + self.minutes(60);
                self.stay(self.person.server, false, branch, begin, length);
            }
            // On the way home.
            None if self.dice.below(100) < 12 || self.reads_mail_on_the_train() => {
                self.on_the_way(17 * HOUR_S + 30 * MINUTE_S)
            }
            _ => {}
        }
    }

    /// Who has the client on the telephone uses it: once a week, on a day at the office.
    fn reads_mail_on_the_train(&self) -> bool {
        self.person.telephone.is_some() && weekday(self.day) == (self.person.number as u64 + 2) % 5
    }

    fn on_the_way(&mut self, from_s: u64) {
        let address = self.person.mobile.address(&mut self.dice);
        // The telephones have ASA's client.
        let by_telephone = self.person.telephone.is_some();
        let server = if by_telephone { Vendor::Asa } else { self.person.server };
        let begin = from_s + self.minutes(20);
        let length = (15 + self.dice.below(35)) * MINUTE_S;
        self.stay(server, by_telephone, address, begin, length);
    }

    fn weekend(&mut self) {
        if self.dice.below(100) < 5 {
            let home = self.home();
            let begin = 10 * HOUR_S + self.minutes(480);
            let length = (30 + self.dice.below(90)) * MINUTE_S;
            self.stay(self.person.server, false, home, begin, length);
        }
    }

    /// A Wednesday as a guest in Strasbourg.
    fn at_the_branch(&mut self) {
        let begin = 9 * HOUR_S + self.minutes(30);
        let length = 7 * HOUR_S + self.minutes(30);
        self.stay(Vendor::CheckPoint, false, OFFICE_STRASBOURG, begin, length);
    }

    /// The train on Mondays, the portal on Wednesday evenings.
    fn habits_of_alice(&mut self) {
        match weekday(self.day) {
            0 => self.on_the_way(7 * HOUR_S + 20 * MINUTE_S),
            2 => {
                let home = self.home();
                let begin = 20 * HOUR_S + self.minutes(30);
                let length = (25 + self.dice.below(30)) * MINUTE_S;
                self.stay(Vendor::F5, false, home, begin, length);
            }
            _ => {}
        }
    }

    fn home(&self) -> IpAddr {
        let lease = self.day / LEASE_DAYS;
        let person = self.person.number as u64;
        self.person.home.address(&mut Dice::new(self.calendar.seed, 1 << 60 | person << 32 | lease))
    }

    /// Up to so many minutes, in seconds.
    fn minutes(&mut self, most: u64) -> u64 {
        self.dice.below(most * MINUTE_S)
    }

    /// `from_s` by the company's clocks.
    fn stay(&mut self, server: Vendor, by_telephone: bool, address: IpAddr, from_s: u64, length_s: u64) {
        let from_s = self.day * DAY_S + from_s - UTC_OFFSET_S;
        let until_s = from_s + length_s;
        self.stays.push(Stay { person: self.person.number, server, by_telephone, address, from_s, until_s });
    }
}
