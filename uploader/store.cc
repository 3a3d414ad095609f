#include "uploader/store.h"
