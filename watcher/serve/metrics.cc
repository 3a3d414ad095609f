#include "watcher/serve/metrics.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <initializer_list>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "base/text.h"
#include "watcher/ledger/directories.h"

namespace caravel::watcher {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

/// Names and values; a value may be foreign text.
using Labels = std::initializer_list<std::pair<const char*, std::string_view>>;

double seconds_since_1970(Time time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

/// One family, filled sample by sample.
class Samples {
 public:
  Samples(const char* name, const char* help, MetricType type) {
    family_.name = name;
    family_.help = help;
    family_.type = type;
  }

  void add(Labels labels, double value) {
    ClientMetric& metric = labelled(labels);
    (family_.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  }
  void add(Labels labels, std::uint64_t value) { add(labels, static_cast<double>(value)); }
  void add(Labels labels, const Delays& delays) {
    ClientMetric::Histogram& histogram = labelled(labels).histogram;
    histogram.sample_count = delays.count;
    histogram.sample_sum = delays.sum;
    for (std::size_t i = 0; i < kDelayBounds.size(); ++i) {
      histogram.bucket.push_back({delays.within[i], kDelayBounds[i]});
    }
  }
  /// `class_of` and `amount_of`: by what the batches are counted, and its sum.
  template <std::size_t N>
  void add(Labels labels, const BatchSums& batches, const std::array<double, N>& bounds,
           std::size_t BatchSums::Classes::*class_of, double (*amount_of)(const BatchSums::Sum&)) {
    std::array<std::uint64_t, N + 1> counts{};
    ClientMetric::Histogram& histogram = labelled(labels).histogram;
    for (const auto& [classes, sum] : batches.sums()) {
      counts[std::min(classes.*class_of, N)] += sum.batches;
      histogram.sample_count += sum.batches;
      histogram.sample_sum += amount_of(sum);
    }
    std::uint64_t within = 0;
    for (std::size_t i = 0; i < N; ++i) {
      within += counts[i];
      histogram.bucket.push_back({within, bounds[i]});
    }
  }
  [[nodiscard]] MetricFamily take() { return std::move(family_); }

 private:
  ClientMetric& labelled(Labels labels) {
    ClientMetric& metric = family_.metric.emplace_back();
    // Label values are UTF-8 (prometheus.io); paths need not be.
    for (const auto& [name, value] : labels) metric.label.push_back({name, shown(value)});
    return metric;
  }

  MetricFamily family_;
};

/// The families of one text, in the order in which they are made.
class Families {
 public:
  template <class Fill>
  void gauge(const char* name, const char* help, Fill fill) {
    add(Samples(name, help, MetricType::Gauge), fill);
  }
  template <class Fill>
  void counter(const char* name, const char* help, Fill fill) {
    add(Samples(name, help, MetricType::Counter), fill);
  }
  template <class Fill>
  void histogram(const char* name, const char* help, Fill fill) {
    add(Samples(name, help, MetricType::Histogram), fill);
  }
  [[nodiscard]] std::string text() const {
    return prometheus::TextSerializer().Serialize(families_);
  }

 private:
  template <class Fill>
  void add(Samples samples, Fill fill) {
    fill(samples);
    MetricFamily family = samples.take();
    // A family without samples says nothing but its help.
    if (!family.metric.empty()) families_.push_back(std::move(family));
  }

  std::vector<MetricFamily> families_;
};

/// A filler of samples that calls `add` for each feed of a report.
auto for_each_feed(const StatusReport& report) {
  return [&report](auto add) {
    return [&report, add](Samples& samples) {
      for (const FeedStatus& feed : report.feeds) add(samples, feed);
    };
  };
}

/// What each feed did.
void add_work_of_feeds(Families& families, const StatusReport& report) {
  const auto each_feed = for_each_feed(report);
  families.gauge("caravel_extracts", "Extracts that the ledger knows, by the state they are in.",
                 each_feed([](Samples& samples, const FeedStatus& feed) {
                   for (const State state : kAllStates) {
                     const auto found = feed.summary.extracts.find(state);
                     samples.add({{"feed", feed.name}, {"state", name_of(state)}},
                                 found == feed.summary.extracts.end() ? 0 : found->second);
                   }
                 }));
  families.counter("caravel_lines_total",
                   "Lines of the extracts that are done or failed, by what became of them.",
                   each_feed([](Samples& samples, const FeedStatus& feed) {
                     const LineCounts& counts = feed.summary.counts;
                     const std::pair<const char*, std::uint64_t> outcomes[] = {
                         {"stored", counts.stored},
                         {"already_there", counts.already_there},
                         {"dropped", counts.dropped},
                         {"rejected", counts.rejected},
                         {"failed", counts.failed}};
                     for (const auto& [outcome, count] : outcomes) {
                       samples.add({{"feed", feed.name}, {"outcome", outcome}}, count);
                     }
                   }));
  families.counter("caravel_differing_rows_total",
                   "Rows that came again in another form and were kept as they are stored.",
                   each_feed([](Samples& samples, const FeedStatus& feed) {
                     samples.add({{"feed", feed.name}}, feed.summary.counts.differs);
                   }));
  families.counter("caravel_extract_bytes_total",
                   "Bytes of the extracts that are done or failed, as they came.",
                   each_feed([](Samples& samples, const FeedStatus& feed) {
                     samples.add({{"feed", feed.name}}, feed.summary.bytes);
                   }));
}

/// What each feed has open.
void add_open_of_feeds(Families& families, const StatusReport& report) {
  const auto each_feed = for_each_feed(report);
  families.gauge("caravel_retries",
                 "Attempts that failed so far, of the extracts that are on their way.",
                 each_feed([](Samples& samples, const FeedStatus& feed) {
                   samples.add({{"feed", feed.name}}, feed.summary.retries);
                 }));
  families.gauge("caravel_open_failures", "Extracts that failed and that nothing has settled.",
                 each_feed([](Samples& samples, const FeedStatus& feed) {
                   samples.add({{"feed", feed.name}}, feed.summary.open_failures);
                 }));
  families.gauge(
      "caravel_oldest_open_seconds",
      "Age of the oldest extract that is neither done nor failed; 0 without one.",
      each_feed([&](Samples& samples, const FeedStatus& feed) {
        const auto& oldest = feed.summary.oldest_open;
        samples.add(
            {{"feed", feed.name}},
            oldest ? std::chrono::duration<double>(report.now - oldest->seen_at).count() : 0.0);
      }));
  families.gauge("caravel_last_extract_timestamp_seconds", "When the newest extract was claimed.",
                 each_feed([](Samples& samples, const FeedStatus& feed) {
                   if (!feed.summary.last_claim) return;
                   samples.add({{"feed", feed.name}}, seconds_since_1970(*feed.summary.last_claim));
                 }));
}

void add_delays(Families& families, const DelayCounter::ByFeedAndStore& all_delays) {
  const auto each = [&](const Delays StoreDelays::*part) {
    return [&all_delays, part](Samples& samples) {
      for (const auto& [place, delays] : all_delays) {
        if ((delays.*part).count == 0) continue;
        samples.add({{"feed", place.first}, {"store", place.second}}, delays.*part);
      }
    };
  };
  families.histogram("caravel_drop_to_stored_seconds",
                     "From the moment when an extract was first seen until all of it was stored.",
                     each(&StoreDelays::since_drop));
  families.histogram("caravel_line_to_stored_seconds",
                     "From the time of an extract's newest line until that was stored; only lines "
                     "that say their time zone.",
                     each(&StoreDelays::since_line));
}

void add_batches(Families& families, const Overview& overview) {
  const auto each = [&](const auto& bounds, std::size_t BatchSums::Classes::*class_of,
                        double (*amount_of)(const BatchSums::Sum&)) {
    return [&overview, &bounds, class_of, amount_of](Samples& samples) {
      for (const auto& [place, batches] : overview.batches) {
        samples.add({{"feed", place.first}, {"store", place.second}}, batches, bounds, class_of,
                    amount_of);
      }
    };
  };
  families.histogram("caravel_batch_rows", "Rows that a store was sent together.",
                     each(kBatchRowBounds, &BatchSums::Classes::first,
                          [](const BatchSums::Sum& sum) { return static_cast<double>(sum.rows); }));
  families.histogram("caravel_batch_seconds",
                     "How long a store took to answer for the rows of one batch.",
                     each(kBatchSecondBounds, &BatchSums::Classes::second,
                          [](const BatchSums::Sum& sum) { return sum.seconds; }));
}

/// Sources with their gaps, by feed. Those that are forgotten do not count.
void add_sources(Families& families, const StatusReport& report) {
  struct Counts {
    std::uint64_t sources = 0, gaps = 0, silent = 0;
  };
  std::map<std::string, Counts> by_feed;
  for (const FeedStatus& feed : report.feeds) by_feed[feed.name];
  for (const ReportedSource& source : report.sources) {
    if (source.forgotten) continue;
    ++by_feed[source.status.run.feed].sources;
    by_feed[source.status.run.feed].gaps += source.status.gaps_total;
  }
  for (const SilentSource& silent : report.silent) ++by_feed[silent.feed].silent;
  const auto each = [&](std::uint64_t Counts::*part) {
    return [&by_feed, part](Samples& samples) {
      for (const auto& [feed, counts] : by_feed) samples.add({{"feed", feed}}, counts.*part);
    };
  };
  families.gauge("caravel_sources", "Runs of capture hosts that are expected, or have gaps.",
                 each(&Counts::sources));
  families.gauge("caravel_sequence_gaps", "Ranges of extracts that are missing: late or lost.",
                 each(&Counts::gaps));
  families.gauge("caravel_silent_sources", "Sources that sent nothing for longer than expected.",
                 each(&Counts::silent));
}

void add_places(Families& families, const StatusReport& report) {
  families.gauge(
      "caravel_drop_directory_ok", "Whether a drop directory can be read.", [&](Samples& samples) {
        for (const DropStatus& drop : report.drops) {
          const bool good = drop.state == "ok" || drop.state == name_of(DirectoryState::polled);
          samples.add({{"feed", drop.feed}}, good ? 1.0 : 0.0);
        }
      });
  families.gauge("caravel_drop_directory_polled",
                 "Whether a drop directory is scanned again and again, for want of events.",
                 [&](Samples& samples) {
                   for (const DropStatus& drop : report.drops) {
                     const bool polled = drop.state == name_of(DirectoryState::polled);
                     samples.add({{"feed", drop.feed}}, polled ? 1.0 : 0.0);
                   }
                 });
  families.gauge(
      "caravel_store_up", "Whether a store answered when it was last asked.",
      [&](Samples& samples) {
        for (const StoreRecord& store : report.stores) {
          if (store.since == Time{}) continue;  // never asked
          samples.add({{"store", store.name}}, store.state == StoreState::ok ? 1.0 : 0.0);
        }
      });
  const auto each_disk = [&](std::uint64_t DiskRoom::*part) {
    return [&report, part](Samples& samples) {
      for (const DiskRoom& disk : report.disks) {
        samples.add({{"place", disk.what}, {"path", disk.path}}, disk.*part);
      }
    };
  };
  families.gauge(
      "caravel_overfull_folder_bytes",
      "What a folder of the spool holds that is bounded, and holds more.", [&](Samples& samples) {
        for (const OverfullRecord& full : report.overfull) {
          samples.add({{"path", full.spool + "/" + full.folder.folder}}, full.folder.bytes);
        }
      });
  families.gauge("caravel_disk_free_bytes", "What is free on a disk for who is not root.",
                 each_disk(&DiskRoom::free));
  families.gauge("caravel_disk_size_bytes", "The size of that disk.", each_disk(&DiskRoom::size));
  families.gauge("caravel_disk_needed_bytes", "With less free than that, work stops.",
                 each_disk(&DiskRoom::least));
}

void add_service(Families& families, const StatusReport& report) {
  const auto one = [](double value) {
    return [value](Samples& samples) { samples.add({}, value); };
  };
  const auto count = [&](std::uint64_t value) { return one(static_cast<double>(value)); };
  families.gauge("caravel_watched", "Whether somebody watches the drop directories now.",
                 one(report.lock_holder.empty() ? 0 : 1));
  families.gauge("caravel_last_work_timestamp_seconds", "When somebody last watched or swept.",
                 [&](Samples& samples) {
                   if (report.worked_at) samples.add({}, seconds_since_1970(*report.worked_at));
                 });
  families.gauge("caravel_left_alone_files", "Names in drop directories that no feed takes.",
                 count(report.left_alone_total));
  families.gauge("caravel_manifests_without_extract",
                 "Manifests that came longer than manifest_wait ago, without their extracts.",
                 count(report.overdue.total));
  families.gauge("caravel_refused_manifests", "Manifests in failed/.",
                 count(report.refused_manifests.total));
  families.gauge("caravel_extracts_with_many_rejects",
                 "Extracts of the last day of which over a tenth was rejected.",
                 count(report.many_rejects.size()));
  families.gauge("caravel_health", "0 all is well, 1 warning, 2 critical, as status --check.",
                 one(static_cast<double>(report.health.level())));
  families.gauge("caravel_ready", "Whether /readyz says so.", one(report.health.ready() ? 1 : 0));
}

}  // namespace

std::string metrics_text(const Result<Overview>& overview,
                         const DelayCounter::ByFeedAndStore& all_delays,
                         const ServeFigures& figures) {
  Families families;
  families.gauge("caravel_build_info", "The program that answers.", [&](Samples& samples) {
    samples.add({{"version", figures.version}}, 1.0);
  });
  families.gauge("caravel_ledger_readable", "Whether the ledger could be read.",
                 [&](Samples& samples) { samples.add({}, overview ? 1.0 : 0.0); });
  families.gauge("caravel_look_seconds", "How long it took to ask the ledger.",
                 [&](Samples& samples) { samples.add({}, figures.look_seconds); });
  families.gauge("process_resident_memory_bytes", "Resident memory size of caravel serve.",
                 [&](Samples& samples) { samples.add({}, figures.resident_bytes); });
  if (overview) {
    add_service(families, overview->report);
    add_work_of_feeds(families, overview->report);
    add_open_of_feeds(families, overview->report);
    add_delays(families, all_delays);
    add_batches(families, *overview);
    add_sources(families, overview->report);
    add_places(families, overview->report);
  }
  return families.text();
}

}  // namespace caravel::watcher
