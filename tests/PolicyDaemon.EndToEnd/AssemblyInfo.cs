// Each collection starts two Postfix instances, a name server, a resolver and the daemon, on machines of two cores;
// side by side they would only make one another's deadlines doubtful.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
