import java.io.BufferedReader;
import java.io.InputStreamReader;
import org.apache.log4j.*;

/** KIND FOLDER BYTES SECONDS: logs each line of its stdin with log4j 1's RollingFileAppender. */
public class Log4j1 {
  public static void main(String[] arguments) throws Exception {
    RollingFileAppender appender = new RollingFileAppender(new PatternLayout("%m%n"), arguments[1] + "/app.log");
    appender.setMaximumFileSize(Long.parseLong(arguments[2]));
    appender.setMaxBackupIndex(5000);
    Logger.getRootLogger().addAppender(appender);
    Logger logger = Logger.getLogger("app");
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = input.readLine()) != null; ) logger.info(line);
    LogManager.shutdown();
  }
}
