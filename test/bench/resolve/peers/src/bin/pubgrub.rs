// SPDX-License-Identifier: Apache-2.0

//! The crate pubgrub on a problem file; packages in the order that its own provider prefers.
//!
//!     pubgrub FILE

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::convert::Infallible;

use pubgrub::{
    resolve, DefaultStringReporter, Dependencies, DependencyProvider, PackageResolutionStatistics, PubGrubError,
    Ranges, Reporter,
};
use resolve_peers::{print_conflict, Need, Problem};

struct Provider {
    problem: Problem,
    sets: RefCell<HashMap<(usize, usize), Ranges<u32>>>,
}

/// The last number is the root.
type Name = usize;

impl Provider {
    fn root(&self) -> Name {
        self.problem.packages.len()
    }

    fn count(&self, package: Name) -> u32 {
        if package == self.root() {
            1
        } else {
            self.problem.packages[package].candidates.len() as u32
        }
    }

    fn set(&self, need: Need) -> Ranges<u32> {
        self.sets
            .borrow_mut()
            .entry((need.package, need.range))
            .or_insert_with(|| {
                let runs = self.problem.runs(need);
                runs.iter().fold(Ranges::empty(), |set, run| set.union(&Ranges::between(run.0, run.1)))
            })
            .clone()
    }

    fn constraints(&self, needs: &Option<Vec<Need>>, own: Option<(Name, u32)>) -> Dependencies<Name, Ranges<u32>, String> {
        let Some(needs) = needs else {
            return Dependencies::Unavailable("it needs a package that there is not".to_string());
        };
        let accepts_itself = |need: &Need| own.is_none_or(|(package, version)| need.package != package || self.set(*need).contains(&version));
        if !needs.iter().all(accepts_itself) {
            return Dependencies::Unavailable("it does not accept itself".to_string());
        }
        let others = needs.iter().filter(|need| own.is_none_or(|(package, _)| need.package != package));
        Dependencies::Available(others.map(|&need| (need.package, self.set(need))).collect())
    }
}

impl DependencyProvider for Provider {
    type P = Name;
    type V = u32;
    type VS = Ranges<u32>;
    type M = String;
    type Err = Infallible;
    type Priority = (u32, Reverse<usize>);

    fn prioritize(&self, package: &Name, range: &Ranges<u32>, statistics: &PackageResolutionStatistics) -> Self::Priority {
        match (0..self.count(*package)).filter(|v| range.contains(v)).count() {
            0 => (u32::MAX, Reverse(0)),
            n => (statistics.conflict_count(), Reverse(n)),
        }
    }

    /// The newest release; without one the newest pre-release.
    fn choose_version(&self, package: &Name, range: &Ranges<u32>) -> Result<Option<u32>, Infallible> {
        let possible = || (0..self.count(*package)).rev().filter(|v| range.contains(v));
        let release = |v: &u32| *package == self.root() || !self.problem.packages[*package].candidates[*v as usize].version.is_pre();
        Ok(possible().find(release).or_else(|| possible().next()))
    }

    fn get_dependencies(&self, package: &Name, version: &u32) -> Result<Dependencies<Name, Ranges<u32>, String>, Infallible> {
        if *package == self.root() {
            return Ok(self.constraints(&self.problem.root, None));
        }
        Ok(self.constraints(&self.problem.packages[*package].candidates[*version as usize].needs, Some((*package, *version))))
    }
}

fn main() {
    let path = std::env::args().nth(1).expect("usage: pubgrub FILE");
    let problem = Problem::read(&path).unwrap_or_else(|fault| panic!("{fault}"));
    let provider = Provider { problem, sets: RefCell::default() };
    let root = provider.root();
    match resolve(&provider, root, 0u32) {
        Ok(chosen) => provider.problem.print(chosen.into_iter().filter(|(p, _)| *p != root).map(|(p, v)| (p, v as usize))),
        Err(PubGrubError::NoSolution(mut tree)) => {
            tree.collapse_no_versions();
            print_conflict(&DefaultStringReporter::report(&tree))
        }
        Err(other) => panic!("{other}"),
    }
}
