#!/bin/sh
# <xbar.title>aitop</xbar.title>
# <xbar.version>v0.1.0</xbar.version>
# <xbar.author>The aitop authors</xbar.author>
# <xbar.desc>What AI coding costs while it happens</xbar.desc>
# <xbar.dependencies>aitop</xbar.dependencies>
# <swiftbar.runInBash>false</swiftbar.runInBash>
# <swiftbar.hideRunInTerminal>true</swiftbar.hideRunInTerminal>
# Save it as aitop.2s.sh in the plugin folder of SwiftBar or xbar, executable. One small process every two seconds.
exec '@AITOP@' swiftbar
