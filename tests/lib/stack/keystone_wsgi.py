# SPDX-License-Identifier: Apache-2.0
"""keystone's application, with its policy read before the first request.

It reads it at the first one, and answers others that come meanwhile with 403: seen
where it was restarted under load.
"""

from keystone.common.rbac_enforcer.enforcer import RBACEnforcer
from keystone.wsgi.api import application as application

RBACEnforcer.suppress_deprecation_warnings = True  # as it does in a request
RBACEnforcer()._enforcer.load_rules()
