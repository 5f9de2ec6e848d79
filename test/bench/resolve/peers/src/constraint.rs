// SPDX-License-Identifier: Apache-2.0

//! Versions and constraints as Davit reads them, as far as well-formed ones go.

use std::cmp::Ordering;

#[derive(Clone, PartialEq, Eq)]
enum Identifier {
    Number(u64),
    Word(String),
}

#[derive(Clone, PartialEq, Eq)]
pub struct Version {
    numbers: [u64; 3],
    pre: Vec<Identifier>,
    build: Option<u64>,
}

fn parse_pre(text: &str) -> Vec<Identifier> {
    text.split('.').map(|id| id.parse().map_or_else(|_| Identifier::Word(id.to_string()), Identifier::Number)).collect()
}

fn compare_pre(a: &[Identifier], b: &[Identifier]) -> Ordering {
    if a.is_empty() || b.is_empty() {
        return a.is_empty().cmp(&b.is_empty()); // a release is above its pre-releases
    }
    for (x, y) in a.iter().zip(b) {
        let order = match (x, y) {
            (Identifier::Number(x), Identifier::Number(y)) => x.cmp(y),
            (Identifier::Number(_), Identifier::Word(_)) => Ordering::Less,
            (Identifier::Word(_), Identifier::Number(_)) => Ordering::Greater,
            (Identifier::Word(x), Identifier::Word(y)) => x.cmp(y),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

impl Version {
    pub fn parse(text: &str) -> Option<Version> {
        let (rest, build) = match text.split_once('+') {
            Some((rest, build)) => (rest, Some(build.parse().ok()?)),
            None => (text, None),
        };
        let (core, pre) = match rest.split_once('-') {
            Some((core, pre)) => (core, parse_pre(pre)),
            None => (rest, Vec::new()),
        };
        let mut numbers = [0; 3];
        let core = core.strip_prefix('v').unwrap_or(core);
        for (i, part) in core.split('.').enumerate() {
            *numbers.get_mut(i)? = part.parse().ok()?;
        }
        Some(Version { numbers, pre, build })
    }

    pub fn is_pre(&self) -> bool {
        !self.pre.is_empty()
    }

    /// All builds are equal.
    fn precedence(&self, numbers: &[u64; 3], pre: &[Identifier]) -> Ordering {
        self.numbers.cmp(numbers).then_with(|| compare_pre(&self.pre, pre))
    }

    /// Builds break ties; none is below any.
    pub fn cmp(&self, other: &Version) -> Ordering {
        self.precedence(&other.numbers, &other.pre).then(self.build.cmp(&other.build))
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Operator {
    Equal,
    NotEqual,
    Above,
    Below,
    AtLeast,
    AtMost,
    Tilde,
    Caret,
}

struct Term {
    operator: Operator,
    numbers: [u64; 3],
    given: usize,
    pre: Vec<Identifier>,
}

/// Sides of "||", each a list of terms.
pub struct Constraint(Vec<Vec<Term>>);

const OPERATORS: [(&str, Operator); 11] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::AtLeast),
    ("=>", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("=<", Operator::AtMost),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Above),
    ("<", Operator::Below),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

impl Term {
    fn parse(text: &str) -> Option<Term> {
        let (operator, bound) = OPERATORS
            .iter()
            .find_map(|(sign, operator)| text.strip_prefix(sign).map(|rest| (*operator, rest.trim_start())))
            .unwrap_or((Operator::Equal, text));
        let (core, pre) = match bound.split_once('-') {
            Some((core, pre)) => (core, parse_pre(pre)),
            None => (bound, Vec::new()),
        };
        let mut term = Term { operator, numbers: [0; 3], given: 0, pre };
        for part in core.strip_prefix('v').unwrap_or(core).split('.') {
            if part == "*" || part == "x" || part == "X" {
                break;
            }
            *term.numbers.get_mut(term.given)? = part.parse().ok()?;
            term.given += 1;
        }
        Some(term)
    }

    fn same(&self, v: &Version, parts: usize) -> bool {
        v.numbers[..parts] == self.numbers[..parts]
    }

    fn tilde(&self, v: &Version) -> bool {
        let endless = self.given == 3 && self.numbers == [0; 3];
        v.precedence(&self.numbers, &self.pre) != Ordering::Less && (endless || self.same(v, self.given.min(2)))
    }

    fn caret(&self, v: &Version) -> bool {
        let fixed = if self.numbers[0] > 0 || self.given == 1 {
            1
        } else if self.numbers[1] > 0 || self.given == 2 {
            2
        } else {
            3
        };
        v.precedence(&self.numbers, &self.pre) != Ordering::Less && self.same(v, fixed)
    }

    fn accepts(&self, v: &Version) -> bool {
        let order = v.precedence(&self.numbers, &self.pre);
        let line = &v.numbers[..self.given.max(1)];
        let bound = &self.numbers[..self.given.max(1)];
        match self.operator {
            Operator::Equal if self.given == 3 => order == Ordering::Equal,
            Operator::Equal | Operator::Tilde => self.tilde(v),
            Operator::NotEqual if self.given == 3 || self.given == 0 => order != Ordering::Equal,
            Operator::NotEqual => line != bound,
            Operator::Above if self.given == 3 || self.given == 0 => order == Ordering::Greater,
            Operator::Above => line > bound,
            Operator::Below => order == Ordering::Less,
            Operator::AtLeast => order != Ordering::Less,
            Operator::AtMost if self.given == 3 => order != Ordering::Greater,
            Operator::AtMost if self.given == 0 => v.numbers[..2] == [0, 0],
            Operator::AtMost => line <= bound,
            Operator::Caret => self.caret(v),
        }
    }
}

fn parse_side(text: &str) -> Option<Vec<Term>> {
    let mut terms = Vec::new();
    for piece in text.split(',') {
        let words: Vec<&str> = piece.split_whitespace().collect();
        if words.len() == 3 && words[1] == "-" {
            terms.push(Term::parse(&format!(">={}", words[0]))?);
            terms.push(Term::parse(&format!("<={}", words[2]))?);
            continue;
        }
        for word in &words {
            terms.push(Term::parse(word)?);
        }
    }
    Some(terms)
}

impl Constraint {
    pub fn parse(text: &str) -> Option<Constraint> {
        text.split("||").map(parse_side).collect::<Option<_>>().map(Constraint)
    }

    /// A pre-release needs a term with one on its side.
    pub fn accepts(&self, v: &Version) -> bool {
        self.0.iter().any(|side| (!v.is_pre() || side.iter().any(|t| !t.pre.is_empty())) && side.iter().all(|t| t.accepts(v)))
    }
}
