# How pgAdmin serves one session: what it keeps is in a folder of the session's, and it asks for no second password.
import os

DATA_DIR = os.environ["PGADMIN_DATA"]
SERVER_MODE = True
LOG_FILE = os.path.join(DATA_DIR, "log")
SQLITE_PATH = os.path.join(DATA_DIR, "pgadmin4.db")
SESSION_DB_PATH = os.path.join(DATA_DIR, "sessions")
STORAGE_DIR = os.path.join(DATA_DIR, "storage")
DEFAULT_SERVER = "127.0.0.1"
DEFAULT_SERVER_PORT = int(os.environ["PGADMIN_PORT"])
WTF_CSRF_ENABLED = False
WTF_CSRF_CHECK_DEFAULT = False
MASTER_PASSWORD_REQUIRED = False
UPGRADE_CHECK_ENABLED = False
CHECK_EMAIL_DELIVERABILITY = False
ENHANCED_COOKIE_PROTECTION = False
