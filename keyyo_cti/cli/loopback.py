from ..loopback import Loopback as Loopback
