#!/bin/sh
# <xbar.title>aitop</xbar.title>
# <xbar.version>v0.1.0</xbar.version>
# <xbar.author>The aitop authors</xbar.author>
# <xbar.desc>What AI coding costs while it happens</xbar.desc>
# <xbar.dependencies>aitop</xbar.dependencies>
# <swiftbar.type>streamable</swiftbar.type>
# <swiftbar.useTrailingStreamSeparator>true</swiftbar.useTrailingStreamSeparator>
# <swiftbar.runInBash>false</swiftbar.runInBash>
# <swiftbar.hideRunInTerminal>true</swiftbar.hideRunInTerminal>
# Save it as aitop.sh in SwiftBar's plugin folder, executable (SwiftBar 1.4.3 or newer; xbar cannot stream).
# One process for good, and a new menu only when something has changed.
exec '@AITOP@' swiftbar --follow
