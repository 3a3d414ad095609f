"""The real nginx and Apache with configurations of their own: on a free loopback port, with all files in
one folder, in the foreground. No service of the system is touched; root and other users alike."""
import os
import shutil
import signal
import socket
import subprocess

from harness import PATIENCE, free_port, wait_for

NGINX = "/usr/sbin/nginx"
APACHE = "/usr/sbin/apache2"
APACHE_MODULES = "/usr/lib/apache2/modules"


def missing():
    """What these servers need and this machine has not, in words; empty if nothing."""
    return ", ".join(name for name in (NGINX, APACHE) if not shutil.which(name))


def has_ipv6():
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True


class WebServer:
    """A process that serves a folder; everything in it asks for a password, but for /open/."""

    stop_signal = signal.SIGTERM

    def __init__(self, folder, access_log="access.log"):
        self.folder = folder
        self.port = free_port()
        self.access_log = os.path.join(folder, access_log)
        self.process = None
        os.makedirs(os.path.join(folder, "www/open"))
        os.makedirs(os.path.join(folder, "www/digest"))
        # A server that root starts serves as somebody else, who must get here.
        for path in (os.path.dirname(folder), folder):
            os.chmod(path, 0o711)
        self.write("www/index.html", "closed\n")
        self.write("www/open/index.html", "open\n")
        # The password is "secret" (openssl passwd -apr1).
        self.write("htpasswd", "ann:$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0\n")

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def addresses(self):
        return ["127.0.0.1"] + (["::1"] if has_ipv6() else [])

    def command(self):
        raise NotImplementedError

    def start(self):
        with open(os.path.join(self.folder, "messages"), "wb") as messages:
            self.process = subprocess.Popen(self.command(), stdout=messages, stderr=messages,
                                            cwd=self.folder)
        wait_for("the web server", lambda: self.answers() or self.process.poll() is not None)
        if self.process.poll() is not None:
            with open(os.path.join(self.folder, "messages"), encoding="utf-8") as messages:
                raise AssertionError("the web server ended:\n" + messages.read())

    def answers(self):
        try:
            self.send(b"GET /open/ HTTP/1.0\r\n\r\n")
        except ConnectionRefusedError:
            return False
        return True

    def send(self, request, address="127.0.0.1", finish=True):
        """Sends bytes as they are; what came back until the server closed. With `finish` nothing more
        will be sent, and the server can see that."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family) as connection:
            connection.settimeout(PATIENCE)
            connection.connect((address, self.port))
            answer = b""
            try:
                connection.sendall(request)
                if finish:
                    connection.shutdown(socket.SHUT_WR)
                while True:
                    piece = connection.recv(65536)
                    if not piece:
                        return answer
                    answer += piece
            # A server that has read enough of a bad request closes with bytes left over.
            except (ConnectionResetError, BrokenPipeError):
                return answer

    def stop(self):
        """Lets it finish its requests; all their lines are then in the log."""
        if self.process is not None:
            self.process.send_signal(self.stop_signal)
            self.process.wait(PATIENCE)
            self.process = None


class Nginx(WebServer):
    """With the log that it writes by default, "combined"."""

    stop_signal = signal.SIGQUIT

    def command(self):
        listen = "".join(f"listen {f'[{address}]' if ':' in address else address}:{self.port}; "
                         for address in self.addresses())
        temporary = "".join(f"{kind}_temp_path {self.folder}/{kind}; " for kind in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        self.write("nginx.conf", f"""
            daemon off;
            {"user root;" if os.geteuid() == 0 else ""}
            worker_processes 1;
            pid {self.folder}/pid;
            error_log {self.folder}/error.log;
            events {{}}
            http {{
              access_log {self.access_log};
              {temporary}
              client_header_timeout 1s;
              lingering_timeout 1s;
              server {{
                {listen}
                root {self.folder}/www;
                auth_basic closed;
                auth_basic_user_file {self.folder}/htpasswd;
                location /open/ {{ auth_basic off; }}
              }}
            }}
        """)
        return [NGINX, "-p", self.folder, "-e", os.path.join(self.folder, "error.log"),
                "-c", os.path.join(self.folder, "nginx.conf")]


class Apache(WebServer):
    """With "combined" as Apache's own configuration has it and as Debian has it, and with "common"."""

    def __init__(self, folder, hostnames):
        super().__init__(folder)
        self.hostnames = hostnames
        self.debian_log = os.path.join(folder, "debian.log")
        self.common_log = os.path.join(folder, "common.log")

    def command(self):
        modules = "".join(f"LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so\n" for name in (
            "mpm_event", "authn_core", "authn_file", "auth_basic", "authz_core", "authz_user", "dir",
            "auth_digest", "reqtimeout"))
        listen = "".join(f"Listen {f'[{address}]' if ':' in address else address}:{self.port}\n"
                         for address in self.addresses())
        user = "User nobody\nGroup nogroup\n" if os.geteuid() == 0 else ""
        self.write("apache.conf", f"""
ServerRoot {self.folder}
ServerName localhost
{modules}{listen}{user}
PidFile {self.folder}/pid
DefaultRuntimeDir {self.folder}
ErrorLog {self.folder}/error.log
HostnameLookups {"On" if self.hostnames else "Off"}
AcceptFilter http none
RequestReadTimeout header=1 body=1
LogFormat "%h %l %u %t \\"%r\\" %>s %b \\"%{{Referer}}i\\" \\"%{{User-Agent}}i\\"" combined
LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{{Referer}}i\\" \\"%{{User-Agent}}i\\"" debian
LogFormat "%h %l %u %t \\"%r\\" %>s %b" common
CustomLog {self.access_log} combined
CustomLog {self.debian_log} debian
CustomLog {self.common_log} common
DocumentRoot {self.folder}/www
DirectoryIndex index.html
<Directory {self.folder}/www>
  AuthType Basic
  AuthName closed
  AuthBasicProvider file
  AuthUserFile {self.folder}/htpasswd
  Require valid-user
</Directory>
<Directory {self.folder}/www/digest>
  AuthType Digest
  AuthName closed
  AuthDigestProvider file
</Directory>
<Directory {self.folder}/www/open>
  AuthType None
  Require all granted
</Directory>
""")
        return [APACHE, "-f", os.path.join(self.folder, "apache.conf"), "-DFOREGROUND"]
