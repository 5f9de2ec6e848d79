// SPDX-License-Identifier: Apache-2.0

//! The crate resolvo on a problem file; all dependencies are told to be at hand.
//!
//!     resolvo FILE

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Display;

use resolvo::{
    Candidates, Condition, ConditionId, ConditionalRequirement, Dependencies, DependencyProvider, HintDependenciesAvailable, Interner,
    KnownDependencies, NameId, Problem as Wanted, SolvableId, Solver, SolverCache, StringId, UnsolvableOrCancelled, VersionSetId,
    VersionSetUnionId,
};
use resolve_peers::{print_conflict, Need, Problem};

/// Solvables are numbered through all packages, version sets as they come.
struct Provider {
    problem: Problem,
    first: Vec<u32>,
    owner: Vec<u32>,
    sets: RefCell<Sets>,
}

#[derive(Default)]
struct Sets {
    list: Vec<(Need, Vec<bool>)>,
    numbers: HashMap<(usize, usize), u32>,
}

impl Provider {
    fn new(problem: Problem) -> Provider {
        let (mut first, mut owner) = (Vec::new(), Vec::new());
        for (i, package) in problem.packages.iter().enumerate() {
            first.push(owner.len() as u32);
            owner.extend(package.candidates.iter().map(|_| i as u32));
        }
        Provider { problem, first, owner, sets: RefCell::default() }
    }

    fn set(&self, need: Need) -> VersionSetId {
        let sets = &mut *self.sets.borrow_mut();
        let number = *sets.numbers.entry((need.package, need.range)).or_insert_with(|| {
            let accepted = (0..self.problem.packages[need.package].candidates.len()).map(|i| self.problem.accepts(need, i)).collect();
            sets.list.push((need, accepted));
            sets.list.len() as u32 - 1
        });
        VersionSetId(number)
    }

    fn candidate(&self, solvable: SolvableId) -> (usize, usize) {
        let package = self.owner[solvable.into_raw() as usize] as usize;
        (package, (solvable.into_raw() - self.first[package]) as usize)
    }

    fn requirements(&self, needs: &[Need]) -> Vec<ConditionalRequirement> {
        needs.iter().map(|&need| self.set(need).into()).collect()
    }
}

impl Interner for Provider {
    type NameId = NameId;
    type SolvableId = SolvableId;

    fn display_solvable(&self, solvable: SolvableId) -> impl Display + '_ {
        let (package, version) = self.candidate(solvable);
        format!("{} {}", self.problem.packages[package].name, self.problem.packages[package].candidates[version].text)
    }
    fn display_name(&self, name: NameId) -> impl Display + '_ {
        &self.problem.packages[name.into_raw() as usize].name
    }
    fn display_version_set(&self, set: VersionSetId) -> impl Display + '_ {
        self.problem.range_text(self.sets.borrow().list[set.0 as usize].0).to_string()
    }
    fn display_string(&self, _: StringId) -> impl Display + '_ {
        "it needs a package that there is not, or does not accept itself"
    }
    fn version_set_name(&self, set: VersionSetId) -> NameId {
        NameId::from_raw(self.sets.borrow().list[set.0 as usize].0.package as u32)
    }
    fn solvable_name(&self, solvable: SolvableId) -> NameId {
        NameId::from_raw(self.owner[solvable.into_raw() as usize])
    }
    fn version_sets_in_union(&self, _: VersionSetUnionId) -> impl Iterator<Item = VersionSetId> {
        std::iter::empty()
    }
    fn resolve_condition(&self, _: ConditionId) -> Condition {
        unreachable!("there are no conditions")
    }
}

impl DependencyProvider for Provider {
    async fn filter_candidates(&self, candidates: &[SolvableId], set: VersionSetId, inverse: bool) -> Vec<SolvableId> {
        let sets = self.sets.borrow();
        let accepted = &sets.list[set.0 as usize].1;
        candidates.iter().copied().filter(|&s| accepted[self.candidate(s).1] != inverse).collect()
    }

    async fn get_candidates(&self, name: NameId) -> Option<Candidates<SolvableId>> {
        let package = name.into_raw() as usize;
        let candidates = (0..self.problem.packages[package].candidates.len()).map(|i| SolvableId::from_raw(self.first[package] + i as u32)).collect();
        Some(Candidates { candidates, hint_dependencies_available: HintDependenciesAvailable::All, ..Candidates::default() })
    }

    /// Releases first, newest first.
    async fn sort_candidates(&self, _: &SolverCache<Self>, solvables: &mut [SolvableId]) {
        solvables.sort_by_key(|&s| {
            let (package, version) = self.candidate(s);
            (self.problem.packages[package].candidates[version].version.is_pre(), std::cmp::Reverse(version))
        });
    }

    async fn get_dependencies(&self, solvable: SolvableId) -> Dependencies {
        let (package, version) = self.candidate(solvable);
        let Some(needs) = &self.problem.packages[package].candidates[version].needs else {
            return Dependencies::Unknown(StringId(0));
        };
        if needs.iter().any(|&n| n.package == package && !self.problem.accepts(n, version)) {
            return Dependencies::Unknown(StringId(0));
        }
        let others: Vec<Need> = needs.iter().copied().filter(|n| n.package != package).collect();
        Dependencies::Known(KnownDependencies { requirements: self.requirements(&others), constrains: Vec::new() })
    }
}

fn main() {
    let path = std::env::args().nth(1).expect("usage: resolvo FILE");
    let problem = Problem::read(&path).unwrap_or_else(|fault| panic!("{fault}"));
    let Some(root) = problem.root.clone() else { print_conflict("the root asks for a package that there is not") };
    let provider = Provider::new(problem);
    let wanted = Wanted::new().requirements(provider.requirements(&root));
    let mut solver = Solver::new(provider);
    match solver.solve(wanted) {
        Ok(chosen) => {
            let provider = solver.provider();
            provider.problem.print(chosen.into_iter().map(|s| provider.candidate(s)))
        }
        Err(UnsolvableOrCancelled::Unsolvable(conflict)) => print_conflict(&conflict.display_user_friendly(&solver).to_string()),
        Err(UnsolvableOrCancelled::Cancelled(_)) => panic!("cancelled"),
    }
}
