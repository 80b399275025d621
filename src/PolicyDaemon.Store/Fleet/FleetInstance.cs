using System.Globalization;
using System.Security.Cryptography;

namespace PolicyDaemon.Store.Fleet;

/// <summary>The name of a process among those that share a store: another one at each start, whatever the machine is called.</summary>
public static class FleetInstance
{
    public static string New() => string.Create(
        CultureInfo.InvariantCulture, $"{Environment.MachineName}-{Environment.ProcessId}-{RandomNumberGenerator.GetHexString(12, lowercase: true)}");
}
