// SPDX-License-Identifier: Apache-2.0

//! Davit's problem files (davit-resolve/1), as far as the generated ones go, for other solvers.
//!
//! The versions of a package are sorted and then known by their index; a constraint is the set of
//! indices that it accepts. So each solver gets the cheapest versions and sets that it can have.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

pub mod constraint;
use constraint::{Constraint, Version};

type Map<'a, V> = BTreeMap<Cow<'a, str>, V>;

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow)]
    packages: Map<'a, Map<'a, Map<'a, Cow<'a, str>>>>,
    #[serde(borrow)]
    root: Map<'a, Cow<'a, str>>,
}

/// What a version or the root needs: a package and the number of a constraint.
#[derive(Clone, Copy)]
pub struct Need {
    pub package: usize,
    pub range: usize,
}

pub struct Candidate {
    pub text: String,
    pub version: Version,
    /// None: it needs a package that there is not.
    pub needs: Option<Vec<Need>>,
}

pub struct Package {
    pub name: String,
    pub candidates: Vec<Candidate>,
}

pub struct Problem {
    pub packages: Vec<Package>,
    pub root: Option<Vec<Need>>,
    ranges: Vec<(String, Option<Constraint>)>,
}

impl Problem {
    pub fn read(path: &str) -> Result<Problem, String> {
        let bytes = std::fs::read(path).map_err(|e| format!("{path}: {e}"))?;
        let file: File = serde_json::from_slice(&bytes).map_err(|e| format!("{path}: {e}"))?;
        let names: HashMap<&str, usize> = file.packages.keys().enumerate().map(|(i, name)| (name.as_ref(), i)).collect();
        let mut ranges = Ranges::default();
        let mut packages = Vec::with_capacity(file.packages.len());

        for (name, versions) in &file.packages {
            let mut candidates = Vec::with_capacity(versions.len());
            for (text, needs) in versions {
                candidates.push(Candidate {
                    text: text.to_string(),
                    version: Version::parse(text).ok_or_else(|| format!("{text} is no version"))?,
                    needs: ranges.read_needs(&names, needs)?,
                });
            }
            candidates.sort_by(|a, b| a.version.cmp(&b.version));
            packages.push(Package { name: name.to_string(), candidates });
        }
        let root = ranges.read_needs(&names, &file.root)?;
        Ok(Problem { packages, root, ranges: ranges.list })
    }

    pub fn range_text(&self, need: Need) -> &str {
        &self.ranges[need.range].0
    }

    pub fn accepts(&self, need: Need, candidate: usize) -> bool {
        let constraint = &self.ranges[need.range].1;
        constraint.as_ref().is_none_or(|c| c.accepts(&self.packages[need.package].candidates[candidate].version))
    }

    /// The indices that the need accepts, as runs from..to.
    pub fn runs(&self, need: Need) -> Vec<(u32, u32)> {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for i in 0..self.packages[need.package].candidates.len() {
            if !self.accepts(need, i) {
                continue;
            }
            match runs.last_mut() {
                Some(last) if last.1 == i as u32 => last.1 += 1,
                _ => runs.push((i as u32, i as u32 + 1)),
            }
        }
        runs
    }

    /// Prints a solution as Davit does.
    pub fn print(&self, chosen: impl Iterator<Item = (usize, usize)>) {
        let solution: BTreeMap<&str, &str> =
            chosen.map(|(p, v)| (self.packages[p].name.as_str(), self.packages[p].candidates[v].text.as_str())).collect();
        println!("{}", serde_json::json!({ "solution": solution }));
    }
}

/// Ends as Davit does: 1 with an explanation.
pub fn print_conflict(text: &str) -> ! {
    println!("{}", serde_json::json!({ "conflict": text }));
    std::process::exit(1)
}

#[derive(Default)]
struct Ranges {
    list: Vec<(String, Option<Constraint>)>,
    numbers: HashMap<String, usize>,
}

impl Ranges {
    fn number(&mut self, text: &str) -> Result<usize, String> {
        if let Some(&n) = self.numbers.get(text) {
            return Ok(n);
        }
        let constraint = if text.is_empty() {
            None
        } else {
            Some(Constraint::parse(text).ok_or_else(|| format!("{text} is no constraint"))?)
        };
        self.list.push((text.to_string(), constraint));
        self.numbers.insert(text.to_string(), self.list.len() - 1);
        Ok(self.list.len() - 1)
    }

    fn read_needs(&mut self, names: &HashMap<&str, usize>, needs: &Map<Cow<str>>) -> Result<Option<Vec<Need>>, String> {
        let mut list = Vec::with_capacity(needs.len());
        for (name, text) in needs {
            let range = self.number(text)?;
            match names.get(name.as_ref()) {
                Some(&package) => list.push(Need { package, range }),
                None => return Ok(None),
            }
        }
        Ok(Some(list))
    }
}
