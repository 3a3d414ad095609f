#include "watcher/intake/noticing/drop_events.h"

#include <sys/inotify.h>

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace caravel::watcher {
namespace {

/// One record as the kernel lays it out: the name ends with a NUL and is padded with more.
std::string record(int watch, std::uint32_t mask, const std::string& name = "") {
  inotify_event header{};
  header.wd = watch;
  header.mask = mask;
  header.len = name.empty() ? 0 : static_cast<std::uint32_t>((name.size() / 16 + 1) * 16);
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  std::string padded = name;
  padded.resize(header.len, '\0');
  return bytes + padded;
}

std::vector<DropEvent> decode(const std::string& bytes) {
  std::vector<DropEvent> events;
  decode_events(bytes, events);
  return events;
}

TEST(DropEvents, EveryMaskHasItsKind) {
  const struct {
    std::uint32_t mask;
    EventKind kind;
  } kCases[] = {
      {IN_CLOSE_WRITE, EventKind::closed},     {IN_MOVED_TO, EventKind::moved_in},
      {IN_CREATE, EventKind::changed},         {IN_DELETE, EventKind::changed},
      {IN_MOVED_FROM, EventKind::changed},     {IN_ATTRIB, EventKind::changed},
      {IN_DELETE_SELF, EventKind::watch_gone}, {IN_MOVE_SELF, EventKind::watch_gone},
      {IN_UNMOUNT, EventKind::watch_gone},     {IN_IGNORED, EventKind::watch_gone},
      {IN_Q_OVERFLOW, EventKind::overflow},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.mask);
    const auto events = decode(record(7, c.mask, "a.log"));
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0], (DropEvent{7, c.kind, "a.log", false}));
  }
}

TEST(DropEvents, WhatWasNotAskedForIsLeftOut) {
  EXPECT_TRUE(decode(record(1, IN_OPEN, "a")).empty());
  EXPECT_TRUE(decode(record(1, IN_CLOSE_NOWRITE, "a")).empty());
}

TEST(DropEvents, ADirectoryIsMarked) {
  const auto events = decode(record(1, IN_MOVED_TO | IN_ISDIR, "sub"));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_TRUE(events[0].is_directory);
}

TEST(DropEvents, RecordsOfAnyLengthFollowEachOther) {
  const std::string longest(255, 'n');
  const auto events = decode(record(1, IN_CREATE, "exactly15chars!") + record(2, IN_DELETE_SELF) +
                             record(3, IN_MOVED_TO, longest));
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0], (DropEvent{1, EventKind::changed, "exactly15chars!", false}));
  EXPECT_EQ(events[1], (DropEvent{2, EventKind::watch_gone, "", false}));
  EXPECT_EQ(events[2], (DropEvent{3, EventKind::moved_in, longest, false}));
}

TEST(DropEvents, TheBufferNeedsNoAlignment) {
  const std::string shifted = "x" + record(1, IN_MOVED_TO, "a.log");
  std::vector<DropEvent> events;
  decode_events(std::string_view(shifted).substr(1), events);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].name, "a.log");
}

TEST(DropEvents, ACutRecordMeansScanAgain) {
  const std::string whole = record(1, IN_MOVED_TO, "a.log");
  for (std::size_t size = 1; size < whole.size(); ++size) {
    SCOPED_TRACE(size);
    const auto events = decode(whole.substr(0, size));
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].kind, EventKind::overflow);
    EXPECT_EQ(events[0].watch, -1);
  }
  EXPECT_TRUE(decode("").empty());
}

}  // namespace
}  // namespace caravel::watcher
