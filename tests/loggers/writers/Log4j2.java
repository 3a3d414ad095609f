import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.apache.logging.log4j.core.config.ConfigurationSource;
import org.apache.logging.log4j.core.config.Configurator;

/** KIND FOLDER BYTES SECONDS: logs each line of its stdin with log4j 2's RollingFile. */
public class Log4j2 {
  /** Where the log is (none: the pattern alone), the pattern of its rotated files, and the strategy. */
  static String[] settings(String kind) {
    switch (kind) {
      case "default": return new String[] {"app.log", "app.log.%i", ""};
      case "max": return new String[] {"app.log", "app.log.%i", "<DefaultRolloverStrategy max='2000'/>"};
      case "min": return new String[] {
          "app.log", "app.log.%i", "<DefaultRolloverStrategy fileIndex='min' max='2000'/>"};
      case "date": return new String[] {
          "app.log", "app-%d{yyyy-MM-dd}-%i.log", "<DefaultRolloverStrategy max='2000'/>"};
      case "gz": return new String[] {"app.log", "app.log.%i.gz", "<DefaultRolloverStrategy max='2000'/>"};
      case "direct": return new String[] {
          null, "app-%d{yyyy-MM-dd}-%i.log", "<DirectWriteRolloverStrategy maxFiles='2000'/>"};
      default: throw new IllegalArgumentException(kind);
    }
  }

  public static void main(String[] arguments) throws Exception {
    String[] settings = settings(arguments[0]);
    String folder = arguments[1] + "/";
    String xml = "<Configuration status='WARN'><Appenders><RollingFile name='app'"
        + (settings[0] == null ? "" : " fileName='" + folder + settings[0] + "'")
        + " filePattern='" + folder + settings[1] + "'><PatternLayout pattern='%m%n'/>"
        + "<Policies><SizeBasedTriggeringPolicy size='" + arguments[2] + "'/></Policies>" + settings[2]
        + "</RollingFile></Appenders>"
        + "<Loggers><Root level='info'><AppenderRef ref='app'/></Root></Loggers></Configuration>";
    Configurator.initialize(null, new ConfigurationSource(new ByteArrayInputStream(xml.getBytes())));
    Logger logger = LogManager.getLogger("app");
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = input.readLine()) != null; ) logger.info(line);
    LogManager.shutdown();
  }
}
