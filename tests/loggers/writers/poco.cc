// KIND FOLDER BYTES SECONDS PAD: logs each line of its stdin with Poco's FileChannel.
#include <Poco/AutoPtr.h>
#include <Poco/FileChannel.h>
#include <Poco/Message.h>

#include <iostream>
#include <string>

int main(int, char** arguments) {
  const std::string kind = arguments[1];
  Poco::AutoPtr<Poco::FileChannel> channel(
      new Poco::FileChannel(std::string(arguments[2]) + "/app.log"));
  channel->setProperty("rotation", arguments[3]);
  channel->setProperty("archive", kind == "timestamp" ? "timestamp" : "number");
  channel->setProperty("compress", kind == "compress" ? "true" : "false");
  channel->open();
  for (std::string line; std::getline(std::cin, line);) {
    channel->log(Poco::Message("app", line, Poco::Message::PRIO_INFORMATION));
  }
  channel->close();
}
