#include "watcher/pipeline/group/run_together.h"

#include <list>
#include <utility>

#include "watcher/pipeline/attempt.h"
#include "watcher/pipeline/group/put_away_together.h"
#include "watcher/spool/claim.h"

namespace caravel::watcher {
namespace {

using std::chrono::steady_clock;

/// One extract of the group. The attempt refers to the job, so this does not move.
struct Member {
  Member(const PipelineTools& tools, const ExtractJob& job, std::size_t at)
      : attempt(tools, job), index(at) {}

  Attempt attempt;
  std::size_t index;  // in the jobs
};

/// Those that came as far as the others. Whoever meets an obstacle leaves the group, and forgets
/// what was done: a file that is in work/ can begin anew at any time before it is done.
class Group {
 public:
  Group(const PipelineTools& tools, const std::vector<ExtractJob>& jobs) : tools_(tools) {
    for (std::size_t i = 0; i < jobs.size(); ++i) members_.emplace_back(tools, jobs[i], i);
  }

  /// Up to `until`, one after the other. `goes_on` is asked behind each: false ends it with an
  /// error.
  template <class GoesOn>
  Result<> go_on(Step until, GoesOn goes_on) {
    for (auto member = members_.begin(); member != members_.end();) {
      const auto through = member->attempt.go_on(until);
      const bool stays = through && member->attempt.next_step() == until;
      member = stays ? std::next(member) : members_.erase(member);
      if (!goes_on()) return fail(ErrorKind::retry, "the transaction of the group is gone");
    }
    return {};
  }

  /// Content and claims: a loss of power takes neither back from here on.
  Result<> make_durable(const ClaimRoot& root) {
    CARAVEL_TRY(sync_all_claims(root));
    for (Member& member : members_) member.attempt.is_durable();
    return {};
  }

  /// The same for steps that only ask the ledger.
  template <class GoesOn>
  Result<> go_on_asking(Step until, GoesOn goes_on) {
    return tools_.ledger.in_snapshot([&] { return go_on(until, goes_on); });
  }

  /// All up to `until` in one transaction of the ledger.
  Result<> go_on_in_ledger(Step until, bool synced) {
    return tools_.ledger.in_group(
        synced, [&] { return go_on(until, [&] { return tools_.ledger.is_in_group(); }); });
  }

  Result<> upload() {
    const auto group = tools_.store.begin_group();
    if (group == nullptr) return fail(ErrorKind::retry, "the store takes no groups");
    CARAVEL_TRY(go_on_asking(Step::keep_rejects, [&] { return group->is_open(); }));
    return group->commit();
  }

  [[nodiscard]] bool must_be_recorded() const {
    for (const Member& member : members_) {
      if (member.attempt.must_be_recorded()) return true;
    }
    return false;
  }

  [[nodiscard]] std::list<Member>& members() { return members_; }

 private:
  const PipelineTools& tools_;
  std::list<Member> members_;
};

/// All that comes before "done" is committed: an error leaves every extract unfinished.
Result<> bring_to_end(const ClaimRoot& root, Group& group) {
  const auto always = [] { return true; };
  CARAVEL_TRY(group.go_on_asking(Step::record, always));
  CARAVEL_TRY(group.make_durable(root));
  // The disk hears of "formatted" with "done", if a crash would find out the same again.
  CARAVEL_TRY(group.go_on_in_ledger(Step::upload, group.must_be_recorded()));
  CARAVEL_TRY(group.upload());
  CARAVEL_TRY(group.go_on(Step::finish, always));
  return group.go_on_in_ledger(Step::remove_stale, true);
}

/// A file that cannot be put away is done all the same: its result says that it is left.
void archive(const PipelineTools& tools, Group& group,
             std::vector<std::optional<PipelineResult>>& results) {
  PutAwayTogether together(tools.service.spool, tools.ledger);
  for (Member& member : group.members()) {
    const ExtractJob& job = member.attempt.job();
    const auto [sha256, done_at] = member.attempt.hand_to_archive();
    if (auto put = together.add(*job.root, job.claim, sha256, done_at); !put) {
      results[member.index]->left_in_work = std::move(put).error().message;
    }
  }
  if (const auto synced = together.finish(); !synced) {
    for (Member& member : group.members()) {
      results[member.index]->left_in_work = synced.error().message;
    }
  }
}

}  // namespace

void run_together(const PipelineTools& tools, const std::vector<ExtractJob>& jobs,
                  std::vector<std::optional<PipelineResult>>& results) {
  results.assign(jobs.size(), std::nullopt);
  const auto began = steady_clock::now();
  Group group(tools, jobs);
  if (!bring_to_end(*jobs.front().root, group)) return;
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - began);
  for (Member& member : group.members()) {
    results[member.index] = member.attempt.result();
    results[member.index]->took = took;
  }
  archive(tools, group, results);
}

}  // namespace caravel::watcher
