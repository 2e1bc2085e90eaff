# Part of Sync governance. See LICENSE file for full copyright and licensing details.
