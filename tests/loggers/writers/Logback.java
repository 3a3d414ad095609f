import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** KIND FOLDER BYTES SECONDS: logs each line of its stdin with logback's RollingFileAppender. */
public class Logback {
  static final String ROLLING = "ch.qos.logback.core.rolling.";

  static String policy(String kind, String folder, String size) {
    String trigger = "<triggeringPolicy class='" + ROLLING + "SizeBasedTriggeringPolicy'><maxFileSize>" + size
        + "</maxFileSize></triggeringPolicy>";
    switch (kind) {
      case "fixed": return "<rollingPolicy class='" + ROLLING + "FixedWindowRollingPolicy'><fileNamePattern>"
          + folder + "app.log.%i</fileNamePattern><minIndex>1</minIndex><maxIndex>20</maxIndex>"
          + "</rollingPolicy>" + trigger;
      case "size-time": return bySizeAndTime(folder + "app-%d{yyyy-MM-dd}.%i.log", size);
      case "gz": return bySizeAndTime(folder + "app-%d{yyyy-MM-dd}.%i.log.gz", size);
      case "direct": return bySizeAndTime(folder + "app-%d{yyyy-MM-dd}.%i.log", size);
      case "second": return "<rollingPolicy class='" + ROLLING + "TimeBasedRollingPolicy'><fileNamePattern>"
          + folder + "app.log.%d{yyyyMMdd-HHmmss}</fileNamePattern></rollingPolicy>";
      default: throw new IllegalArgumentException(kind);
    }
  }

  static String bySizeAndTime(String pattern, String size) {
    return "<rollingPolicy class='" + ROLLING + "SizeAndTimeBasedRollingPolicy'><fileNamePattern>" + pattern
        + "</fileNamePattern><maxFileSize>" + size + "</maxFileSize></rollingPolicy>";
  }

  public static void main(String[] arguments) throws Exception {
    String folder = arguments[1] + "/";
    String file = arguments[0].equals("direct") ? "" : "<file>" + folder + "app.log</file>";
    String xml = "<configuration><appender name='app' class='" + ROLLING + "RollingFileAppender'>" + file
        + policy(arguments[0], folder, arguments[2])
        + "<encoder><pattern>%m%n</pattern></encoder></appender>"
        + "<root level='info'><appender-ref ref='app'/></root></configuration>";
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    context.reset();
    JoranConfigurator configurator = new JoranConfigurator();
    configurator.setContext(context);
    configurator.doConfigure(new ByteArrayInputStream(xml.getBytes()));
    Logger logger = LoggerFactory.getLogger("app");
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = input.readLine()) != null; ) logger.info(line);
    context.stop();
  }
}
